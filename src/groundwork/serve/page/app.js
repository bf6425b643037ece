// The chat: questions in, answers with their sources, confidence and feedback out.

import { call, safeUrl } from "./api.js";
import { openPassage, openTrace, setUpDialogs } from "./dialogs.js";
import { blocks, element } from "./text.js";

const $ = (id) => document.getElementById(id);
const CHECK_AGAIN_MS = 10_000;
let session = newId();
let pending = null; // AbortController of the question that is being answered

function newId() {
  // crypto.randomUUID exists on https and localhost only
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function clone(id) {
  return $(id).content.firstElementChild.cloneNode(true);
}

function announce(text) {
  $("announcer").textContent = text;
}

// What the service knows

async function loadModels() {
  let models;
  try {
    models = await call("api/v1/models");
  } catch (error) {
    return notReady(error.message);
  }
  if (!models.domain) return notReady("No release is loaded yet, so questions cannot be answered.", models.registry_problem);
  $("notice").hidden = true;
  showDomain(models.domain);
  showReleases(models);
}

function notReady(message, detail) {
  const lines = [message, detail].filter(Boolean).map((line) => element("p", {}, line));
  $("notice").replaceChildren(...lines);
  $("notice").hidden = false;
  setTimeout(loadModels, CHECK_AGAIN_MS);
}

function showDomain({ title, categories, examples }) {
  $("subject").textContent = title;
  document.title = `Groundwork: ${title}`;
  const options = categories.map((name) => element("option", { value: name }, readable(name)));
  $("category").replaceChildren($("category").options[0], ...options);
  $("category-picker").hidden = categories.length === 0;
  $("examples").replaceChildren(...examples.map((text) => {
    const button = element("button", { type: "button" }, text);
    button.addEventListener("click", () => ask(text));
    return element("li", {}, button);
  }));
  $("examples-block").hidden = examples.length === 0;
}

function readable(name) {
  const words = name.replaceAll("_", " ").replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function showReleases({ models, serving }) {
  const options = models.map((item) => {
    const name = `${item.version} · ${item.answerer}${item.serving ? " (champion)" : ""}`;
    return element("option", { value: item.serving ? "" : item.release }, name);
  });
  if (!models.some((item) => item.serving)) options.unshift(element("option", { value: "" }, serving));
  $("release").replaceChildren(...options);
  $("release").value = "";
  $("release-picker").hidden = false;
}

// Asking

async function ask(question) {
  if (pending) return;
  const controller = new AbortController();
  const turn = clone("turn");
  turn.querySelector(".asked").textContent = question;
  const reply = turn.querySelector(".reply");
  $("welcome").hidden = true;
  $("new-chat").hidden = false;
  $("conversation").append(turn);
  turn.scrollIntoView({ block: "start" });
  $("question").focus();
  setBusy(controller);
  announce("Looking through the pages");
  try {
    const body = { question, session_id: session };
    if ($("category").value) body.category = $("category").value;
    if ($("release").value) body.model = $("release").value;
    const answer = await call("api/v1/query", { body, signal: controller.signal });
    reply.replaceChildren(showAnswer(answer));
    announce(spoken(answer));
  } catch (error) {
    reply.replaceChildren(error.name === "AbortError" ? stopped() : showFailure(error, question, turn));
  } finally {
    reply.removeAttribute("aria-busy");
    if (pending === controller) setBusy(null);
  }
}

function setBusy(controller) {
  pending = controller;
  $("composer").classList.toggle("busy", Boolean(controller));
  $("send-label").textContent = controller ? "Stop" : "Send";
  updateSend();
}

function updateSend() {
  $("send").disabled = !pending && !$("question").value.trim();
  const box = $("question");
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
  box.style.overflowY = box.scrollHeight > box.clientHeight ? "auto" : "hidden";
}

function stopped() {
  announce("Stopped");
  return element("p", { class: "stopped" }, "Stopped.");
}

function showFailure(error, question, turn) {
  const failure = clone("failure");
  failure.querySelector(".failure-text").textContent = error.message;
  failure.querySelector("button").addEventListener("click", () => {
    turn.remove();
    $("question").focus();
    ask(question);
  });
  return failure;
}

// Showing

function word(confidence) {
  if (confidence >= 0.8) return "high";
  return confidence >= 0.5 ? "fair" : "low";
}

function confidenceWords({ confidence, refused }) {
  const percent = `${Math.round(confidence * 100)} %`;
  if (refused) return `${percent} sure that the pages do not answer this`;
  return `${percent} confidence, ${word(confidence)}`;
}

function spoken(answer) {
  const count = answer.citations.length;
  const sources = count ? ` ${count} ${count === 1 ? "source" : "sources"}.` : "";
  const text = answer.answer.replace(/\s*\[\d+\]/g, "");
  return `${answer.refused ? "Not found in the pages. " : ""}${text} ${confidenceWords(answer)}.${sources}`;
}

function showAnswer(answer) {
  const node = clone("answer");
  node.classList.toggle("refused", answer.refused);
  node.querySelector(".refused-label").hidden = !answer.refused;
  node.querySelector(".text").append(...answerBlocks(answer));
  const confidence = node.querySelector(".confidence");
  confidence.dataset.word = word(answer.confidence);
  node.querySelector(".level").style.width = `${Math.round(answer.confidence * 100)}%`;
  node.querySelector(".confidence-words").textContent = confidenceWords(answer);
  node.querySelector(".sources").hidden = answer.citations.length === 0;
  node.querySelector(".source-list").append(...answer.citations.map((citation) => source(answer, citation)));
  node.querySelector("[data-trace]").addEventListener("click", () => openTrace(answer));
  const ms = Math.max(1, Math.round(answer.response_time * 1000));
  node.querySelector(".meta").textContent = `${answer.model_version} · ${ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`}`;
  setUpFeedback(node, answer);
  return node;
}

function answerBlocks(answer) {
  let cited = 0;
  const cite = (n) => {
    const citation = answer.citations.find((item) => item.n === n);
    if (!citation) return null;
    cited += 1;
    return chip(answer, citation);
  };
  const nodes = blocks(answer.answer, { cite });
  if (!cited) nodes.at(-1)?.append(...answer.citations.flatMap((item) => ["\u00a0", chip(answer, item)]));
  return nodes;
}

function chip(answer, citation) {
  const button = element("button", { type: "button", class: "chip", "aria-label": `Source ${citation.n}: ${citation.title}` }, String(citation.n));
  button.addEventListener("click", () => openPassage(answer, citation));
  return button;
}

function source(answer, citation) {
  const host = safeUrl(citation.url)?.host ?? citation.url;
  const place = [citation.heading, host].filter(Boolean).join(" · ");
  const button = element("button", { type: "button", class: "source" },
    element("span", { class: "chip" }, String(citation.n)),
    element("span", { class: "source-title" }, citation.title || citation.url),
    element("span", { class: "source-place" }, place));
  button.addEventListener("click", () => openPassage(answer, citation));
  return element("li", {}, button);
}

// Feedback: a press of a thumb is sent at once, a comment after it

function setUpFeedback(node, answer) {
  const form = node.querySelector(".comment");
  const state = node.querySelector(".rating-state");
  let rating = 0;
  const send = async (comment) => {
    try {
      await call("api/v1/feedback", { body: { answer_id: answer.answer_id, rating, comment } });
      return true;
    } catch (error) {
      state.textContent = `Your rating was not stored: ${error.message}`;
      return false;
    }
  };
  const buttons = node.querySelectorAll(".rate");
  for (const button of buttons) {
    button.addEventListener("click", async () => {
      rating = Number(button.dataset.rating);
      state.textContent = "";
      if (!(await send(null))) return;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      form.hidden = false;
      announce("Your rating is stored. You can add a comment.");
    });
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const comment = form.querySelector("textarea").value.trim();
    if (comment && !(await send(comment))) return;
    form.hidden = true;
    state.textContent = "Thank you, your feedback is stored with the answer.";
    node.querySelector('.rate[aria-pressed="true"]').focus();
  });
}

// Composer

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (pending) return pending.abort();
  const question = $("question").value.trim();
  if (!question) return undefined;
  $("question").value = "";
  updateSend();
  return ask(question);
});

$("question").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!pending) $("composer").requestSubmit();
});

$("question").addEventListener("input", updateSend);

$("new-chat").addEventListener("click", () => {
  pending?.abort();
  session = newId();
  $("conversation").replaceChildren();
  $("welcome").hidden = false;
  $("new-chat").hidden = true;
  announce("New chat");
  $("question").focus();
});

setUpDialogs();
updateSend();
loadModels();
$("question").focus();

// The two dialogs: the passage behind a citation, and the way back from an answer to its data.

import { call, safeUrl } from "./api.js";
import { blocks, element } from "./text.js";

const $ = (id) => document.getElementById(id);
const traces = new Map();

export function setUpDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close(); // the backdrop
    });
  }
}

/** The trace of an answer, fetched once. */
function trace(answerId) {
  if (!traces.has(answerId)) {
    const promise = call(`api/v1/answers/${encodeURIComponent(answerId)}/trace`);
    traces.set(answerId, promise);
    promise.catch(() => traces.delete(answerId));
  }
  return traces.get(answerId);
}

/** Show the quote at once, and the passage around it as soon as the trace has it. */
export async function openPassage(answer, citation) {
  $("passage-title").textContent = `${citation.n}. ${citation.title || citation.url}`;
  $("passage-heading").textContent = citation.heading;
  $("passage-heading").hidden = !citation.heading;
  $("passage-note").textContent = "";
  $("passage-text").replaceChildren(...blocks(citation.quote, { marked: [0, citation.quote.length] }));
  $("passage-facts").replaceChildren(
    ...fact("Page", link(citation.url)),
    ...fact("Licence", citation.licence),
    ...fact("Fetched", date(citation.fetched_at)),
    ...fact("Passage", id(citation.passage_id)),
  );
  $("passage-dialog").showModal();
  const opened = $("passage-title").textContent;
  try {
    const { passages } = await trace(answer.answer_id);
    const passage = passages.find((item) => item.n === citation.n)?.passage;
    const text = passage?.text ?? "";
    const at = text.indexOf(citation.quote);
    if (at < 0 || $("passage-title").textContent !== opened) return;
    const marked = [at, at + citation.quote.length];
    $("passage-text").replaceChildren(...blocks(text, { marked }));
    $("passage-note").textContent = "The highlighted words support the answer; the rest is the passage around them.";
    $("passage-text").querySelector("mark")?.scrollIntoView({ block: "nearest" });
  } catch (error) {
    $("passage-note").textContent = `The passage around the quote cannot be shown: ${error.message}`;
  }
}

export async function openTrace(answer) {
  const steps = $("trace-steps");
  $("trace-raw").href = `api/v1/answers/${encodeURIComponent(answer.answer_id)}/trace`;
  steps.replaceChildren(step("Loading", element("p", { class: "fine" }, "One moment.")));
  $("trace-dialog").showModal();
  try {
    const found = await trace(answer.answer_id);
    steps.replaceChildren(answerStep(found), ...found.passages.map(passageStep), releaseStep(found.release));
  } catch (error) {
    steps.replaceChildren(step("The trace cannot be shown", element("p", {}, error.message)));
  }
}

function answerStep(found) {
  const rows = [...fact("Asked", date(found.asked_at)), ...fact("Question", found.question)];
  if (found.searched !== found.question) rows.push(...fact("Searched as", found.searched));
  rows.push(...fact("Answer", id(found.answer_id)));
  return step("Answer", list(rows));
}

function passageStep({ n, quote, passage = {}, document: doc = {}, page = {} }) {
  const rows = [
    ...fact("Page", link(page.url ?? doc.url ?? passage.url)),
    ...fact("Licence", page.licence ?? passage.licence),
    ...fact("Fetched", date(page.fetched_at)),
    ...fact("robots.txt", page.robots),
    ...fact("Page sha256", id(page.sha256 ?? page.page_sha256)),
    ...fact("Document", id(doc.document_id ?? passage.document_id)),
    ...fact("Passage", id(passage.passage_id)),
  ];
  const said = element("blockquote", {}, ...blocks(quote));
  return step(`Source ${n}: ${doc.title ?? passage.title ?? ""}`, said, list(rows));
}

function releaseStep({ model_version: name, provenance = {} }) {
  const rows = [...fact("Serves", name), ...fact("git commit", id(provenance.git_commit))];
  const raw = JSON.stringify(provenance, null, 2);
  const more = element("details", {}, element("summary", {}, "Data hashes, training runs and the gate's decision"),
    element("pre", { class: "scroll", tabindex: "0" }, raw));
  return step("Release", list(rows), more);
}

const step = (title, ...nodes) => element("li", {}, element("h3", {}, title), ...nodes);
const list = (rows) => element("dl", { class: "facts" }, ...rows);
const id = (value) => (value ? element("span", { class: "id" }, value) : "");

function fact(name, value) {
  return value ? [element("dt", {}, name), element("dd", {}, value)] : [];
}

function link(url) {
  const parsed = safeUrl(url);
  return parsed ? element("a", { href: parsed.href, target: "_blank", rel: "noopener noreferrer" }, url) : url;
}

function date(iso) {
  const parsed = new Date(iso);
  if (!iso || Number.isNaN(parsed.getTime())) return "";
  const words = parsed.toLocaleString(undefined, { dateStyle: "long", timeStyle: "short" });
  return element("time", { datetime: iso }, words);
}

// The little Markdown that answers and passages hold, as DOM nodes. Text never becomes HTML.
//
// Blocks: paragraphs, headings, lists, tables. Inline: **bold**, `code`, [text](url) as its text,
// and [1] as whatever `cite(1)` returns.

const INLINE = /\*\*(.+?)\*\*|`([^`]+)`|!?\[([^\]]*)\]\([^)\s]*\)|\s*\[(\d{1,3})\]/g;
const ITEM = /^\s*(?:[-*+]|(\d+)[.)])\s+/;

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") node.className = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

/** Blocks of `text`; `marked` is [start, end) of the span to highlight, `cite` makes a citation. */
export function blocks(text, { marked = null, cite = null } = {}) {
  const out = [];
  for (const line of lines(text)) {
    const kind = kindOf(line.text);
    if (!kind) {
      out.push(null); // an empty line ends a block
      continue;
    }
    const last = out.at(-1);
    const block = last?.kind === kind && kind !== "heading" ? last : { kind, lines: [] };
    if (block !== last) out.push(block);
    block.lines.push(line);
  }
  const context = { marked, cite };
  return out.filter(Boolean).map((block) => RENDER[block.kind](block.lines, context));
}

function* lines(text) {
  let start = 0;
  for (const line of text.split("\n")) {
    yield { text: line, start };
    start += line.length + 1;
  }
}

function kindOf(line) {
  if (!line.trim()) return null;
  if (/^#{1,6}\s/.test(line)) return "heading";
  if (/^\s*\|.*\|\s*$/.test(line)) return "table";
  const item = line.match(ITEM);
  if (item) return item[1] ? "ordered" : "bulleted";
  return "paragraph";
}

const RENDER = {
  heading: ([line], context) =>
    element("p", { class: "heading" }, ...inlineFrom(line, line.text.match(/^#+\s+/)[0].length, context)),
  paragraph: (found, context) => {
    const nodes = found.flatMap((line) => [...inlineFrom(line, 0, context), " "]);
    return element("p", {}, ...nodes.slice(0, -1));
  },
  bulleted: (found, context) => element("ul", {}, ...items(found, context)),
  ordered: (found, context) => {
    const first = Number(found[0].text.match(ITEM)[1]);
    return element("ol", { start: first }, ...items(found, context));
  },
  table: (found, context) => {
    const isRule = (line) => /^[\s|:-]+$/.test(line.text);
    const header = found.length > 1 && isRule(found[1]) ? found[0] : null;
    const rows = found.filter((line) => !isRule(line)).map((line) =>
      element("tr", {}, ...cells(line, line === header ? "th" : "td", context)));
    const region = { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" };
    return element("div", region, element("table", {}, ...rows));
  },
};

function items(found, context) {
  return found.map((line) =>
    element("li", {}, ...inlineFrom(line, line.text.match(ITEM)[0].length, context)));
}

function cells(line, tag, context) {
  const out = [];
  let at = line.text.indexOf("|") + 1;
  for (;;) {
    const end = line.text.indexOf("|", at);
    if (end < 0) return out;
    const cell = { text: line.text.slice(0, end), start: line.start };
    out.push(element(tag, {}, ...inlineFrom(cell, at, context)));
    at = end + 1;
  }
}

/** Inline nodes of a line from offset `from`, split where the marked span begins and ends. */
function inlineFrom(line, from, context) {
  const [start, end] = context.marked ?? [0, 0];
  const cuts = [from, start - line.start, end - line.start, line.text.length]
    .map((cut) => Math.min(Math.max(cut, from), line.text.length));
  return [0, 1, 2].flatMap((part) => {
    const nodes = inline(line.text.slice(cuts[part], cuts[part + 1]), context.cite);
    return part === 1 && nodes.length ? [element("mark", {}, ...nodes)] : nodes;
  });
}

function inline(text, cite) {
  const out = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, bold, code, link, number] = match;
    const citation = number && cite ? cite(Number(number)) : null;
    if (number && !citation) continue;
    if (match.index > at) out.push(text.slice(at, match.index));
    if (citation) out.push("\u00a0", citation); // stays on the line of its sentence
    else if (bold) out.push(element("strong", {}, bold));
    else if (code) out.push(element("code", {}, code));
    else if (link) out.push(link);
    at = match.index + whole.length;
  }
  if (at < text.length) out.push(text.slice(at));
  return out;
}

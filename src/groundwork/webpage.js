"use strict";
// Without this script every row is listed; with it the list is filtered.
const form = document.getElementById("filters");
const search = document.getElementById("search");
const count = document.getElementById("count");
const rows = [...document.querySelectorAll("#rows > *")];
const texts = new Map();

function textOf(row) {
  if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
  return texts.get(row);
}

function filter() {
  const chosen = [...form.querySelectorAll("select")].filter((select) => select.value);
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const fits =
      chosen.every((select) => row.dataset[select.name] === select.value) &&
      words.every((word) => textOf(row).includes(word));
    row.hidden = !fits;
    shown += fits;
  }
  count.textContent = `${shown} of ${rows.length} ${count.dataset.noun}`;
}

if (form) {
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}

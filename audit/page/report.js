// Sorts a table by the column whose head is chosen, and hides the rows of groups that are not asked for.
"use strict";

const number = (text) => {
  const found = text.replace(/[,%*<\u2009\u2013]/g, "").trim();
  return found === "" ? NaN : Number.parseFloat(found);
};

const sort = (table, column, down) => {
  for (const body of table.tBodies) {
    const rows = [...body.rows].filter((row) => row.cells.length > column);
    const key = (row) => row.cells[column].textContent.trim();
    rows.sort((one, two) => {
      const [a, b] = [number(key(one)), number(key(two))];
      if (Number.isNaN(a) !== Number.isNaN(b)) return Number.isNaN(a) ? 1 : -1;
      const order = Number.isNaN(a) ? key(one).localeCompare(key(two)) : a - b;
      return down ? -order : order;
    });
    body.append(...rows);
  }
};

for (const table of document.querySelectorAll("table.sorts")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (!head.textContent.trim()) return;
    head.tabIndex = 0;
    head.setAttribute("role", "button");
    const chosen = () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(table, column, down);
    };
    head.addEventListener("click", chosen);
    head.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        chosen();
      }
    });
  });
}

const asked = document.querySelector("#filter");
if (asked) {
  asked.closest("label").hidden = false;
  asked.addEventListener("input", () => {
    const wanted = asked.value.trim().toLowerCase();
    for (const row of document.querySelectorAll("table.sorts tbody tr")) {
      if (row.cells.length > 1) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    }
    for (const folded of document.querySelectorAll("details:has(table.sorts)")) {
      if (wanted && folded.querySelector("tbody tr:not([hidden])")) folded.open = true;
    }
  });
}

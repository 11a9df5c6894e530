// The table, of which only the rows that were scrolled to exist; and what listens to the keyboard.
const REFERENCES = 3, STEP = 200, NAMES = 8;
const HAS_IDS = records.some((record) => record.id);
let listed = [];
const values = (record, group) => {
  const all = record.groups.get(group) || [], rest = all.length - NAMES;
  return all.slice(0, rest > 1 ? NAMES : all.length).map(text).join(", ") + (rest > 1 ? `, and ${number(rest)} more` : "");
};

const columns = () => {
  const model = models[view.model], found = [{ key: "", title: "Name", of: (record) => record.name }];
  if (!model) found.push({ key: "model", title: "Kind", of: (record) => models[record.model].one });
  if (!model || model.moments) found.push({ key: "when", title: "When", of: (record) => record.when });
  const telling = groupsOf().filter((group) => group !== STATUS);
  const chosen = model ? [...new Set([model.by, ...telling].filter((group) => telling.includes(group)))].slice(0, REFERENCES) : [];
  for (const group of chosen) found.push({ key: "g" + group, title: data.counted[group], of: (record) => values(record, group) });
  found.push({ key: "status", title: "Status", of: (record) => values(record, STATUS) });
  found.push({ key: "place", title: "File", of: (record) => record.place });
  return found;
};

const sorted = (shown, all) => {
  const column = all.find((one) => one.key === view.sort) || all[0], sign = view.down ? -1 : 1;
  const keyed = shown.map((record) => [column.of(record), record]);
  const compare = column.key === "when" ? (a, b) => (a < b ? -1 : a > b ? 1 : 0) : order;
  keyed.sort((a, b) => (a[0] === "") - (b[0] === "") || sign * compare(a[0], b[0]) || a[1].position - b[1].position);
  return keyed.map(([, record]) => record);
};

const drawHead = (all) => {
  const row = make("tr");
  for (const column of all) {
    const head = make("th"), on = view.sort === column.key;
    head.scope = "col";
    head.setAttribute("aria-sort", on ? (view.down ? "descending" : "ascending") : "none");
    head.append(button(column.title + (on ? (view.down ? " ↓" : " ↑") : ""), "plain", null, "sort:" + column.key, () => {
      view.down = on ? !view.down : column.key === "when";
      view.sort = column.key;
      refresh();
    }));
    row.append(head);
  }
  if (HAS_IDS) {
    const last = make("th", data.base ? "BrainSTEM" : "Id");
    last.scope = "col";
    row.append(last);
  }
  named("records").tHead.replaceChildren(row);
};

const link = (record) => {
  if (!record.id) return make("span", "", "id");
  if (!data.base || !record.linked) {
    const code = make("code", record.id.length > 12 ? record.id.slice(0, 8) + "…" : record.id, "id");
    code.title = record.id;
    return code;
  }
  const anchor = make("a", "open ↗", "id");
  anchor.href = data.base + models[record.model].path + encodeURIComponent(record.id) + "/";
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer";
  anchor.title = record.id;
  anchor.setAttribute("aria-label", "Open " + record.name + " in BrainSTEM");
  return anchor;
};

const breakable = (path) => path.split("/").flatMap((part, i) => (i ? ["/", make("wbr"), part] : [part]));
const pair = (list, name, ...content) => {
  const row = make("div"), value = make("dd");
  value.append(...content);
  row.append(make("dt", name), value);
  list.append(row);
};
const details = (record, depth) => {
  const list = make("dl");
  for (let i = 0; i < record.fields.length; i += 2) pair(list, text(record.fields[i]), text(record.fields[i + 1]));
  if (record.changes.length) pair(list, "not applied yet", ...record.changes.map((change) => make("p", text(change))));
  if (!depth) {
    if (record.parent >= 0) pair(list, "inside", models[records[record.parent].model].one + " " + records[record.parent].name);
    pair(list, "file", make("code", record.place));
    if (record.id) pair(list, "id", make("code", record.id));
  }
  for (const inner of record.inside)
    pair(list, models[inner.model].one, make("strong", inner.name), " ", make("code", inner.place), ...(depth < 4 ? [details(inner, depth + 1)] : []));
  return list;
};

const drawRow = (record, all) => {
  const row = make("tr"), head = make("th");
  head.scope = "row";
  const name = button(record.name, "name", null, "open:" + record.position, () => unfold(record, row, all.length + 1, name));
  name.setAttribute("aria-expanded", false);
  head.append(name);
  row.append(head);
  for (const column of all.slice(1)) {
    const cell = make("td", undefined, ["place", "when"].includes(column.key) ? "mono " + column.key : "");
    cell.append(...(column.key === "place" ? breakable(record.place) : [column.of(record)]));
    if (column.key === "status") cell.className = cell.textContent === "applied" ? "status" : "status open";
    row.append(cell);
  }
  if (HAS_IDS) {
    const last = make("td");
    last.append(link(record));
    row.append(last);
  }
  row.addEventListener("click", (event) => { if (!event.target.closest("a, button") && !String(getSelection())) name.click(); });
  return row;
};

const unfold = (record, row, width, name) => {
  const isOpen = name.getAttribute("aria-expanded") === "true";
  name.setAttribute("aria-expanded", !isOpen);
  if (isOpen) { row.nextElementSibling.remove(); return; }
  const below = make("tr", undefined, "details"), cell = make("td");
  cell.colSpan = width;
  cell.append(details(record, 0));
  below.append(cell);
  row.after(below);
};

const fill = (upTo) => {
  const all = columns(), body = named("records").tBodies[0], rows = document.createDocumentFragment();
  for (const record of listed.slice(body.dataset.filled | 0, upTo)) rows.append(drawRow(record, all));
  body.append(rows);
  body.dataset.filled = Math.min(upTo, listed.length);
  const rest = listed.length - body.dataset.filled, more = named("more-records");
  more.hidden = rest <= 0;
  more.textContent = number(rest) + " more";
};
const drawTable = (found) => {
  const all = columns(), body = named("records").tBodies[0];
  listed = sorted(found.shown, all);
  body.replaceChildren();
  body.dataset.filled = 0;
  drawHead(all);
  fill(view.listed);
};
const more = () => { view.listed += STEP; fill(view.listed); };
named("more-records").addEventListener("click", more);
new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) more(); }, { rootMargin: "600px" })
  .observe(named("more-records"));
named("more-counts").addEventListener("click", () => { view.moreCounts = true; refresh(); });

const field = named("search"), root = document.documentElement;
let waiting = 0;
const search = () => { view.words = field.value.toLowerCase().split(/\s+/).filter(Boolean); refresh(); };
field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 100); });
named("theme").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
document.addEventListener("keydown", (event) => {
  const at = document.activeElement, names = () => [...document.querySelectorAll("#records .name")];
  if (event.key === "/" && at !== field && !event.ctrlKey && !event.metaKey) { event.preventDefault(); field.focus(); field.select(); }
  if (event.key === "Escape") {
    const open = at?.closest?.("tr")?.querySelector('.name[aria-expanded="true"]');
    if (open) open.click(); else if (view.words.length || view.filters.size || view.day) clear(); else at?.blur();
  }
  if (at === field && (event.key === "ArrowDown" || event.key === "Enter")) { event.preventDefault(); names()[0]?.focus(); }
  if (at?.classList.contains("name") && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    const all = names(), to = all[all.indexOf(at) + (event.key === "ArrowDown" ? 1 : -1)];
    (to || (event.key === "ArrowUp" ? field : at)).focus();
  }
});
addEventListener("beforeprint", () => { fill(listed.length); });
named("app").hidden = false;
pickModel(data.first);
refresh();

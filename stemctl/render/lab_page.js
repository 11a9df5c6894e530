// What is shown follows from `view`; `refresh` draws all of it. Data only ever becomes text.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const text = (position) => data.texts[position];
const named = (id) => document.getElementById(id);
const make = (tag, words, className) => {
  const element = document.createElement(tag);
  if (words !== undefined) element.textContent = words;
  if (className) element.className = className;
  return element;
};
const button = (words, className, pressed, key, act) => {
  const element = make("button", words, className);
  element.type = "button";
  element.dataset.key = key;
  if (pressed !== null) element.setAttribute("aria-pressed", pressed);
  element.addEventListener("click", act);
  return element;
};
const number = (value) => value.toLocaleString("en");
const counted = (value, word) => number(value) + " " + word + (value === 1 ? "" : "s");
const order = new Intl.Collator("en", { numeric: true }).compare;

const records = data.records.map((row, position) => {
  const groups = new Map();
  for (let i = 0; i < row[7].length; i += 2) groups.set(row[7][i], row[7][i + 1]);
  return { position, model: row[0], name: text(row[1]), parent: row[2], place: text(row[3]), id: text(row[4]),
    when: text(row[5]), fields: row[6], groups, changes: row[8], linked: row[9], inside: [], words: null };
});
for (const record of records) if (record.parent >= 0) records[record.parent].inside.push(record);
const models = data.models.map(([one, many, path, groups, by, moments, word]) =>
  ({ one, many, path, groups, by, moments, word }));
const sizes = models.map(() => 0);
for (const record of records) sizes[record.model] += 1;
const ALL = -1, STATUS = data.status;

const view = { model: data.first, words: [], day: "", filters: new Map(), by: -1, sort: "", down: false, opened: new Set(),
  years: 2, moreRows: new Set(), moreValues: new Set(), moreCounts: false, moreModels: false, listed: 100 };

const TABS = 7;
const groupsOf = () => (view.model === ALL ? data.all : models[view.model].groups);
const many = (count) => number(count) + " " + (view.model === ALL ? (count === 1 ? "record" : "records")
  : count === 1 ? models[view.model].word : models[view.model].many);
const words = (record) => (record.words ??= [record.name, models[record.model].one, record.when, record.place, record.id,
  ...record.fields.filter((_, i) => i % 2).map(text), ...[...record.groups.values()].flat().map(text)].join("\n").toLowerCase());

// What each part counts: the records that all filters leave, but for the filter of the part itself.
const select = () => {
  const found = { shown: [], days: [], rows: [], counts: new Map() };
  const count = (record, group) => {
    const values = record.groups.get(group);
    if (!values) return;
    let tally = found.counts.get(group);
    if (!tally) found.counts.set(group, (tally = new Map()));
    for (const value of values) tally.set(value, (tally.get(value) || 0) + 1);
  };
  const groups = groupsOf(), fails = [];
  for (const record of records) {
    if (view.model !== ALL && record.model !== view.model) continue;
    if (view.words.length && !view.words.every((word) => words(record).includes(word))) continue;
    fails.length = 0;
    if (view.day && !record.when.startsWith(view.day)) fails.push("day");
    for (const [group, wanted] of view.filters) {
      const values = record.groups.get(group);
      if (!values || !values.some((value) => wanted.has(value))) fails.push(group);
    }
    if (!fails.length) { found.shown.push(record); for (const group of groups) count(record, group); }
    else if (fails.length === 1 && fails[0] !== "day") count(record, fails[0]);
    if (record.when && fails.every((fail) => fail === "day")) found.days.push(record);
    if (record.when && fails.every((fail) => fail === "day" || fail === view.by)) found.rows.push(record);
  }
  return found;
};

const toggle = (group, value) => {
  const wanted = view.filters.get(group) || new Set();
  if (!wanted.delete(value)) wanted.add(value);
  if (wanted.size) view.filters.set(group, wanted); else view.filters.delete(group);
  refresh();
};
const isOn = (group, value) => Boolean(view.filters.get(group)?.has(value));
const pickDay = (day) => { view.day = view.day === day ? "" : day; refresh(); };
const clear = () => {
  view.filters.clear(); view.day = ""; view.words = []; named("search").value = "";
  refresh();
};
const pickModel = (position) => {
  view.model = position;
  view.by = position === ALL ? -1 : models[position].by;
  view.sort = position !== ALL && models[position].moments ? "when" : "";
  view.down = view.sort === "when";
  view.opened.clear(); view.moreValues.clear(); view.moreRows.clear(); view.moreCounts = false; view.years = 2;
  view.day = "";
  const known = new Set(groupsOf());
  for (const group of [...view.filters.keys()]) if (!known.has(group)) view.filters.delete(group);
};

const drawModels = () => {
  const tabs = models.map((model, i) => {
    const tab = button(model.many, "tab", view.model === i, "model:" + i, () => { pickModel(i); refresh(); });
    tab.append(make("span", number(sizes[i])));
    return tab;
  });
  const all = button("all records", "tab", view.model === ALL, "model:all", () => { pickModel(ALL); refresh(); });
  all.append(make("span", number(records.length)));
  const some = view.moreModels ? tabs : tabs.filter((_, i) => i < TABS || i === view.model), rest = tabs.length - some.length;
  named("models").replaceChildren(...some, all);
  if (rest > 0) named("models").append(button(rest + " more kinds", "more", null, "models", () => { view.moreModels = true; refresh(); }));
};

const drawFilters = () => {
  const chips = [];
  if (view.day) chips.push(button(view.day + " ✕", "chip", null, "chip:day", () => pickDay(view.day)));
  for (const [group, wanted] of view.filters)
    for (const value of wanted)
      chips.push(button(data.counted[group] + ": " + text(value) + " ✕", "chip", null, `chip:${group}:${value}`,
        () => toggle(group, value)));
  for (const chip of chips) chip.setAttribute("aria-label", "Remove the filter " + chip.textContent.slice(0, -2));
  if (chips.length || view.words.length) chips.push(button("Clear all", "clear", null, "clear", clear));
  named("filters").replaceChildren(...chips);
};

const SHORT = 7, LONG = 200, CARDS = 6;
const drawCounts = (found) => {
  const cards = [], groups = groupsOf().filter((group) => found.counts.has(group) || view.filters.has(group));
  for (const group of groups.slice(0, view.moreCounts ? groups.length : CARDS)) {
    const tally = [...(found.counts.get(group) || [])].sort((a, b) => b[1] - a[1] || order(text(a[0]), text(b[0])));
    const most = tally.length ? tally[0][1] : 1, limit = view.moreValues.has(group) ? LONG : SHORT;
    const card = make("div", undefined, "card"), list = make("ul");
    card.append(make("h3", data.counted[group]), list);
    tally.forEach(([value, count], i) => {
      if (i >= limit && !isOn(group, value)) return;
      const row = button(undefined, "count", isOn(group, value), `count:${group}:${value}`, () => toggle(group, value));
      const bar = make("span", undefined, "bar");
      bar.style.width = 100 * count / most + "%";
      row.append(bar, make("span", text(value), "value"), make("span", number(count), "number"));
      row.title = text(value);
      const item = make("li");
      item.append(row);
      list.append(item);
    });
    if (tally.length > limit && limit === SHORT)
      card.append(button(number(tally.length - limit) + " more", "more", null, "more:" + group,
        () => { view.moreValues.add(group); refresh(); }));
    else if (tally.length > limit) card.append(make("p", `and ${number(tally.length - limit)} more: search for them`));
    cards.push(card);
  }
  named("counts").replaceChildren(...cards);
  const more = named("more-counts"), rest = groups.length - CARDS;
  more.hidden = view.moreCounts || rest <= 0;
  more.textContent = "More counts (" + rest + ")";
};

const tell = (found) => {
  const total = view.model === ALL ? records.length : sizes[view.model];
  const some = found.shown.length < total;
  named("told").textContent = some ? `${number(found.shown.length)} of ${many(total)}` : "";
};

const refresh = () => {
  const key = document.activeElement?.dataset?.key;
  view.listed = 100;
  const found = select();
  drawModels(); drawFilters(); drawCalendar(found); drawCounts(found); drawTable(found); tell(found);
  if (key) document.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
};

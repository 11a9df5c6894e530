// A block for each year: its days by week, and below them a line of days for each row.
const CELL = 17, WIDTH = 54 * CELL, BOX = CELL - 2, TOP = 16, LINE = 16, ROWS = 20, DAY = 86400000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const draw = (tag, attributes, words) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (words !== undefined) element.textContent = words;
  return element;
};
const tips = new WeakMap();   // an element for each would double the page
const moment = (year, month, day) => new Date(0).setUTCFullYear(year, month, day);
const dayText = (day) => `${DAYS[(new Date(day + "T00:00:00Z").getUTCDay() + 6) % 7]} ${Number(day.slice(8, 10))} ` +
  `${MONTHS[Number(day.slice(5, 7)) - 1]} ${day.slice(0, 4)}`;
const level = (count, most) => (most <= 3 ? count + 1 : Math.ceil(4 * count / most));

const slots = (year) => {
  const first = moment(year, 0, 1), shift = (new Date(first).getUTCDay() + 6) % 7;
  return (month, day) => (moment(year, month, day) - first) / DAY + shift;
};
const slotOf = (slot, day) => slot(Number(day.slice(5, 7)) - 1, Number(day.slice(8, 10)));

const tallyDays = (found) => {
  const years = new Map(), at = (day) => {
    const year = day.slice(0, 4);
    if (!years.has(year)) years.set(year, { days: new Map(), rows: new Map() });
    return years.get(year);
  };
  for (const record of found.days) {
    const day = record.when.slice(0, 10), days = at(day).days;
    days.set(day, (days.get(day) || 0) + 1);
  }
  if (view.by >= 0)
    for (const record of found.rows) {
      const day = record.when.slice(0, 10), rows = at(day).rows;
      for (const value of record.groups.get(view.by) || []) {
        if (!rows.has(value)) rows.set(value, new Map());
        rows.get(value).set(day, (rows.get(value).get(day) || 0) + 1);
      }
    }
  return years;
};

const drawDays = (year, days, lines) => {
  const slot = slots(year), end = slot(11, 31), height = TOP + 7 * CELL + lines.length * LINE + 4;
  const image = draw("svg", { width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${height}`, class: "days", role: "group",
    "aria-label": `${year}: ${many([...days.values()].reduce((a, b) => a + b, 0))} on ${counted(days.size, "day")}` });
  let empty = "", months = "";
  for (let i = slot(0, 1); i <= end; i++) empty += `M${Math.floor(i / 7) * CELL},${TOP + (i % 7) * CELL}h${BOX}v${BOX}h-${BOX}z`;
  image.append(draw("path", { d: empty, class: "empty" }));
  for (let month = 0; month < 12; month++) {
    const start = slot(month, 1), x = Math.floor(start / 7) * CELL, prefix = `${year}-${String(month + 1).padStart(2, "0")}`;
    const label = draw("text", { x: start % 7 ? x + CELL : x, y: 11, class: view.day === prefix ? "month on" : "month" }, MONTHS[month]);
    label.dataset.day = prefix;
    image.append(label);
    if (month) months += `M${x + (start / 7 % 1) * CELL},${TOP + 7 * CELL + 2}V${TOP + 7 * CELL + lines.length * LINE + 2}`;
  }
  if (lines.length) image.append(draw("path", { d: months, class: "grid" }));
  const most = Math.max(0, ...days.values());
  const cells = [...days].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([day, count]) => {
    const i = slotOf(slot, day), label = `${dayText(day)}: ${many(count)}`;
    const dim = view.day && !day.startsWith(view.day);
    const cell = draw("rect", { x: Math.floor(i / 7) * CELL, y: TOP + (i % 7) * CELL, width: BOX, height: BOX, rx: 2, tabindex: -1,
      class: `l${level(count, most)}${dim ? " dim" : ""}`, role: "button", "aria-label": label, "aria-pressed": view.day === day });
    cell.dataset.day = day;
    cell.dataset.key = "day:" + day;
    tips.set(cell, label);
    return cell;
  });
  (cells.find((cell) => cell.dataset.day === view.day) || cells[cells.length - 1])?.setAttribute("tabindex", 0);
  image.append(...cells);
  lines.forEach(([value, tally], row) => image.append(...drawLine(slot, value, tally, TOP + 7 * CELL + 4 + row * LINE)));
  return image;
};

const drawLine = (slot, value, tally, y) => {
  const most = Math.max(...tally.values()), chosen = view.filters.get(view.by), off = chosen && !chosen.has(value);
  return [...tally].map(([day, count]) => {
    const i = slotOf(slot, day), dim = off || (view.day && !day.startsWith(view.day));
    const tick = draw("rect", { x: (i / 7 * CELL).toFixed(2), y: y + 2, width: 2.8, height: 11,
      class: `l${level(count, most)}${dim ? " dim" : ""}` });
    tick.dataset.day = day;
    tips.set(tick, `${text(value)}, ${dayText(day)}: ${many(count)}`);
    return tick;
  });
};

const linesOf = (year, rows) => {
  let lines = [...rows];
  const rest = lines.length - ROWS;
  if (rest > 0 && !view.moreRows.has(year)) {
    const size = ([, tally]) => [...tally.values()].reduce((a, b) => a + b, 0);
    lines = lines.sort((a, b) => size(b) - size(a)).slice(0, ROWS);
  }
  const start = (tally) => [...tally.keys()].reduce((a, b) => (a < b ? a : b));
  const starts = new Map(lines.map(([value, tally]) => [value, start(tally)]));
  lines.sort((a, b) => (starts.get(a[0]) < starts.get(b[0]) ? -1 : starts.get(a[0]) > starts.get(b[0]) ? 1
    : order(text(a[0]), text(b[0]))));
  return { lines, rest: lines.length < rows.size ? rest : 0 };
};

const drawYear = (year, { days, rows }) => {
  const { lines, rest } = linesOf(year, rows);
  const block = make("div", undefined, "year"), labels = make("div", undefined, "labels"), wide = make("div", undefined, "wide");
  const total = [...days.values()].reduce((a, b) => a + b, 0), heading = make("h3");
  heading.append(button(year, "plain", view.day === year, "year:" + year, () => pickDay(year)),
    make("span", total ? `${many(total)} on ${counted(days.size, "day")}` : "no match"));
  DAYS.forEach((day, i) => labels.append(make("span", i % 2 ? "" : day, "weekday")));
  for (const [value] of lines) {
    const label = button(text(value), "line", isOn(view.by, value), `line:${year}:${value}`, () => toggle(view.by, value));
    label.title = text(value);
    labels.append(label);
  }
  wide.append(drawDays(year, days, lines));
  block.append(heading, labels, wide);
  if (rest > 0) block.append(button(`${number(rest)} more rows`, "more", null, "rows:" + year,
    () => { view.moreRows.add(year); refresh(); }));
  return block;
};

const drawCalendar = (found) => {
  const years = [...tallyDays(found)].sort((a, b) => (a[0] < b[0] ? 1 : -1)), by = named("by");
  const has = view.model === ALL ? false : Boolean(models[view.model].moments);
  named("calendar").hidden = !has;
  if (!has) return;
  named("calendar-title").textContent = capital(models[view.model].many) + " by day";
  const options = groupsOf().map((group) => [group, data.counted[group]]);
  by.replaceChildren(...[[-1, "none"], ...options].map(([value, words]) => {
    const option = make("option", words);
    option.value = value;
    return option;
  }));
  by.value = view.by;
  const matching = years.filter(([, { days }]) => days.size), first = (matching.length ? matching : years).slice(0, view.years);
  const rest = view.years < years.length ? years.filter((one) => !first.includes(one)) : [];
  const blocks = (rest.length ? first : years).map(([year, tallies]) => drawYear(year, tallies));
  if (rest.length) blocks.push(button(`${rest[0][0] < first[0][0] ? "Earlier" : "Other years"}: ${rest.map(([year]) => year).join(", ")}`,
    "more", null, "years", () => { view.years = years.length; refresh(); }));
  if (!years.length) blocks.push(make("p", "No record with a date matches the search and the filters."));
  named("years").replaceChildren(...blocks);
  for (const wide of named("years").querySelectorAll(".wide")) {
    const cells = wide.querySelectorAll('rect[role="button"]'), last = cells[cells.length - 1];
    if (last && wide.scrollWidth > wide.clientWidth) wide.scrollLeft = Number(last.getAttribute("x")) + 3 * CELL - wide.clientWidth;
  }
};
const capital = (words) => words[0].toUpperCase() + words.slice(1);

named("years").addEventListener("click", (event) => {
  const day = event.target.dataset.day;
  if (day) pickDay(day);
});
named("years").addEventListener("mouseover", ({ target }) => {
  if (tips.has(target) && !target.firstChild) target.append(draw("title", {}, tips.get(target)));
});
named("years").addEventListener("keydown", (event) => {
  const cell = event.target;
  if (!cell.dataset.day) return;
  const cells = [...cell.parentNode.querySelectorAll('rect[role="button"]')], at = cells.indexOf(cell);
  const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: cells.length - 1 }[event.key];
  if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pickDay(cell.dataset.day); }
  if (to === undefined || !cells[to]) return;
  event.preventDefault();
  cell.setAttribute("tabindex", -1);
  cells[to].setAttribute("tabindex", 0);
  cells[to].focus();
});
named("by").addEventListener("change", () => { view.by = Number(named("by").value); view.moreRows.clear(); refresh(); });

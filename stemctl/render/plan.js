const tools = document.querySelector(".tools"), field = tools.querySelector("input");
const count = tools.querySelector("output"), fold = tools.querySelector(".fold"), root = document.documentElement;
const changes = [...document.querySelectorAll(".change")], singles = changes.filter((c) => !c.querySelector(".members"));
const sections = [...document.querySelectorAll("section:has(.change)")], all = [...document.querySelectorAll("details")];
let texts = null, opened = null;
tools.hidden = false;
const search = () => {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  texts ??= new Map(singles.map((change) => [change, change.textContent.toLowerCase()]));
  let shown = 0;
  for (const [change, text] of texts) {
    change.hidden = !words.every((word) => text.includes(word));
    shown += !change.hidden;
  }
  for (const members of document.querySelectorAll(".members")) {
    const found = members.querySelector(":scope > .change:not([hidden])");
    members.parentElement.closest(".change").hidden = !found;
    if (words.length) members.open = members.parentElement.closest(".change").open = Boolean(found);
  }
  for (const section of sections) section.hidden = !section.querySelector(".change:not([hidden])");
  count.value = words.length ? shown + " of " + singles.length + " records" : "";
};
let waiting = 0;
field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 120); });
fold.addEventListener("click", () => {
  const open = fold.textContent === "Unfold all";
  for (const one of document.querySelectorAll(".change, .members")) one.open = open;
  fold.textContent = open ? "Fold all" : "Unfold all";
});
tools.querySelector(".theme").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== field) { event.preventDefault(); field.focus(); }
  if (event.key === "Escape" && document.activeElement === field) { field.value = ""; search(); field.blur(); }
});
addEventListener("beforeprint", () => { opened = all.filter((one) => !one.open); opened.forEach((one) => (one.open = true)); });
addEventListener("afterprint", () => { (opened || []).forEach((one) => (one.open = false)); opened = null; });

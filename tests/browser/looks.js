// The look of an element: all that axe judges contrast by. Elements that look alike differ in their words only.
(() => {
  const MARK = "data-looked-at";
  const EACH = 3;
  axe.configure({ rules: [{ id: "color-contrast", selector: `[${MARK}]` }] });
  let found = new Map();

  // 53 bits of a text, which is long: cyrb53.
  const hash = (text) => {
    let [high, low] = [0xdeadbeef, 0x41c6ce57];
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      high = Math.imul(high ^ code, 2654435761);
      low = Math.imul(low ^ code, 1597334677);
    }
    high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
    low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
    return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36);
  };
  const digests = new Map();
  const digest = (text) => digests.get(text) ?? digests.set(text, hash(text)).get(text);

  // By what the elements inside are judged, too; nothing where it paints nothing and moves nothing.
  const behind = ({ backgroundColor, backgroundImage, opacity, filter, position, zIndex }) => {
    const isThere =
      backgroundColor !== "rgba(0, 0, 0, 0)" ||
      backgroundImage !== "none" ||
      opacity !== "1" ||
      filter !== "none" ||
      position !== "static";
    return isThere ? [backgroundColor, backgroundImage, opacity, filter, position, zIndex].join(" ") : "";
  };

  const ownText = (element) =>
    [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data.trim()).join("");

  const own = (element, text, { color, fontSize, fontWeight, textShadow, visibility }) => {
    const disabled = element.matches(":disabled") || element.closest("label")?.control?.disabled;
    const { width, height } = element.getBoundingClientRect();
    const judged = [disabled, /\w\w/.test(text), text.length > 0, width * height > 0];
    const written = [element.localName, element.getAttribute("class"), color, fontSize, fontWeight, textShadow];
    return [...written, visibility, ...judged].join(" ");
  };

  const visit = (element, around) => {
    const computed = getComputedStyle(element);
    // Nothing in there is shown, and so axe does not judge it.
    if (computed.display === "none") return;
    const painted = behind(computed);
    const chain = painted ? digest(`${around}>${element.localName} ${painted}`) : around;
    const text = ownText(element) || element.value || "";
    // Without a text of its own it has no contrast, unless it is a field.
    if (text || element.matches("input, select, textarea")) {
      const look = digest(`${chain} ${own(element, text, computed)}`);
      const alike = found.get(look) ?? found.set(look, []).get(look);
      if (alike.length < EACH) alike.push(element);
    }
    for (const child of element.children) visit(child, chain);
  };

  const run = async (options, elements) => {
    elements.forEach((element) => element.setAttribute(MARK, ""));
    const { violations } = await axe.run(options);
    elements.forEach((element) => element.removeAttribute(MARK));
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`);
  };

  window.looks = {
    // `known` are the looks that were examined before, of which there is nothing more to say.
    async examine({ options, known, isContrastAlone }) {
      const { documentElement } = document;
      const excessWidth = documentElement.scrollWidth - innerWidth;
      found = new Map();
      visit(documentElement, "");
      const before = new Set(known.split(" "));
      const looks = [...found.keys()].filter((look) => !before.has(look));
      const elements = looks.flatMap((look) => found.get(look));
      const complaints = isContrastAlone && !looks.length ? [] : await run(options, elements);
      return { excessWidth, looks, complaints };
    },
  };
})();

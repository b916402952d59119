// The look of an element: all that axe judges contrast by. Elements that look alike differ in what it does not see, such
// as their words, their class, or how far their text is beyond the size from which it is large.
(() => {
  const MARK = "data-looked-at";
  const EACH = 3;
  const FIELDS = "input, select, textarea, button, option";
  const DISABLED = ":disabled, [aria-disabled=true]";
  // How text is written, by the name, the class and what else is cheap to read of its element.
  const styles = new Map();
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
  const behind = ({ backgroundColor, backgroundImage, position, zIndex }, veil) => {
    const isThere =
      backgroundColor !== "rgba(0, 0, 0, 0)" || backgroundImage !== "none" || veil || position !== "static";
    return isThere ? [backgroundColor, backgroundImage, veil, position, zIndex].join(" ") : "";
  };

  // By what its background is mixed with what is behind it.
  const veilOf = ({ opacity, filter, mixBlendMode }) =>
    opacity === "1" && filter === "none" && mixBlendMode === "normal" ? "" : [opacity, filter, mixBlendMode].join(" ");

  // Hides all that is behind it.
  const isOpaque = ({ backgroundColor, backgroundImage, backgroundClip }) =>
    !/^rgba|\//.test(backgroundColor) && backgroundImage === "none" && backgroundClip === "border-box";

  const ownText = (element) => {
    let text = "";
    for (let node = element.firstChild; node; node = node.nextSibling) {
      if (node.nodeType === Node.TEXT_NODE) text += node.data.trim();
    }
    return text;
  };

  const painted = (element, pseudo) => {
    const { content, backgroundColor, backgroundImage, position } = getComputedStyle(element, pseudo);
    return content === "none" || content === "normal" ? "" : [backgroundColor, backgroundImage, position].join(" ");
  };

  const isLarge = (fontSize, fontWeight) => {
    const points = Math.ceil(72 * parseFloat(fontSize)) / 96;
    return points >= 18 || (points >= 14 && parseFloat(fontWeight) >= 700);
  };

  const written = (element, { color, fontSize, fontWeight, textShadow, webkitTextFillColor, webkitTextStroke }) => {
    const isOutlined = textShadow !== "none" || !webkitTextStroke.startsWith("0px");
    const size = isOutlined ? [fontSize, textShadow, webkitTextStroke].join(" ") : "";
    const pseudo = ["::before", "::after"].map((each) => painted(element, each));
    return [color, webkitTextFillColor, isLarge(fontSize, fontWeight), size, ...pseudo].join();
  };

  // Of a link also that by which it differs from the text around it.
  const kindOf = (element, { textDecorationLine }) => {
    if (element.localName === "a") return `a ${textDecorationLine} ${getComputedStyle(element.parentElement).color}`;
    return element.matches(FIELDS) ? `${element.localName} ${element.type}` : "";
  };

  const own = (element, text, computed) => {
    const { color, fontSize, fontWeight, visibility } = computed;
    const styled = [element.localName, element.getAttribute("class"), color, fontSize, fontWeight].join(" ");
    if (!styles.has(styled)) styles.set(styled, written(element, computed));
    const isDisabled = Boolean(element.closest(DISABLED) || element.closest("label")?.control?.disabled);
    const { left, right, bottom, width, height } = element.getBoundingClientRect();
    const isOnPage = width > 1 && height > 1 && right > 0 && bottom + scrollY > 0 && left < innerWidth;
    const kind = kindOf(element, computed);
    return [kind, styles.get(styled), visibility, isDisabled, /\w\w/.test(text), text.length > 0, isOnPage].join();
  };

  const visit = (element, around, isVeiled) => {
    const computed = getComputedStyle(element);
    // Nothing in there is shown, and so axe does not judge it.
    if (computed.display === "none") return;
    const veil = veilOf(computed);
    const layer = behind(computed, veil);
    isVeiled ||= Boolean(veil);
    const chain = layer ? digest(`${isVeiled || !isOpaque(computed) ? around : ""}>${layer}`) : around;
    const text = ownText(element) || element.value || "";
    // Without a text of its own it has no contrast, unless it is a field.
    if (text || element.matches("input, select, textarea")) {
      const look = digest(`${chain} ${own(element, text, computed)}`);
      const alike = found.get(look) ?? found.set(look, []).get(look);
      if (alike.length < EACH) alike.push(element);
    }
    for (const child of element.children) visit(child, chain, isVeiled);
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
      styles.clear();
      visit(documentElement, "", false);
      const before = new Set(known.split(" "));
      const looks = [...found.keys()].filter((look) => !before.has(look));
      const elements = looks.flatMap((look) => found.get(look));
      const complaints = isContrastAlone && !looks.length ? [] : await run(options, elements);
      return { excessWidth, looks, complaints };
    },
  };
})();

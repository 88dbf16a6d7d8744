// Elements that the panels of the Place tab are made of.

export function cell(tag, text, name = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (name) element.className = name;
  return element;
}

// Returns a labelled field for a number: {id, label, unit, value, step, least, most, set(value)}.
export function field({ id, label, unit, value, step, least = null, most = null, set }) {
  const input = Object.assign(document.createElement("input"), { id, type: "number", step: "any", value });
  if (least !== null && least !== undefined) input.min = least;
  if (most !== null) input.max = most;
  // "any" takes every number, but then the arrow keys step by 1.
  input.onkeydown = (event) => {
    const sign = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!sign) return;
    event.preventDefault();
    input.value = Math.round((Number(input.value) + sign * step * (event.shiftKey ? 10 : 1)) * 1e6) / 1e6;
    input.onchange();
  };
  input.onchange = () => {
    const number = input.valueAsNumber;
    if (Number.isFinite(number) && !input.validity.rangeUnderflow && !input.validity.rangeOverflow) set(number);
    input.setAttribute("aria-invalid", !input.validity.valid || !Number.isFinite(number));
  };
  const box = cell("label", "", "place-number");
  box.append(cell("span", label), input, cell("small", unit));
  return box;
}

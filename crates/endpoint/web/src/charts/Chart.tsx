// A chart on the page: loads the library when the first one is wanted, draws at the width that it has when its reader comes near,
// and says in words what it shows. The numbers themselves are in the table beside it, for everybody.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { task } from "../lib/later";
import { useWords } from "../lib/words";
import { COLOURS, DASHES, type Spec } from "./spec";

type Draw = typeof import("./draw").draw;
/** Draws one chart, or says that it cannot be drawn, where there are no functions to draw it. */
type Paint = (draw: Draw | null) => void;
let library: Promise<Draw | null> | null = null;
let loaded: Draw | null = null;

/** The drawing functions, loaded once; null where they cannot be had, and the next who asks tries again. */
function drawing(): Promise<Draw | null> {
  library ??= import("./draw")
    .then(async (module) => {
      for (const begin of module.beginnings) {
        await task();
        begin();
      }
      return (loaded = module.draw);
    })
    .catch((error) => {
      console.error(error);
      return (library = null);
    });
  return library;
}

/** How far out of sight a chart is drawn already, so that who scrolls finds it there. */
const AHEAD = "160px";
/** Charts that are not drawn, and of them those that are near, in their turn. */
const undrawn = new Map<Element, Paint>();
const turns = new Set<Element>();
let turning = false;

const nearing = new IntersectionObserver((entries) => entries.forEach((e) => e.isIntersecting && inTurn(e.target)), { rootMargin: AHEAD });

// On paper there is no coming near.
addEventListener("beforeprint", () => {
  if (loaded) for (const element of [...undrawn.keys()]) paint(element, loaded);
});

/** Draws one chart after the other, each in a task of its own, so that the page answers its reader between them. */
async function inTurn(element: Element): Promise<void> {
  turns.add(element);
  if (turning) return;
  turning = true;
  const draw = await drawing();
  for (const next of turns) {
    await task();
    paint(next, draw);
  }
  turning = false;
}

function paint(element: Element, draw: Draw | null): void {
  const now = undrawn.get(element);
  leave(element);
  now?.(draw);
}

function leave(element: Element): void {
  nearing.unobserve(element);
  undrawn.delete(element);
  turns.delete(element);
}

/** Height that a chart will have, kept free while it is not drawn yet, so that nothing jumps. */
function expected(spec: Spec, width: number): number {
  if (spec.kind === "intervals" || spec.kind === "bars") return spec.marks.length * 30 + 44;
  if (spec.kind === "multiples") return Math.ceil(spec.series.length / Math.max(1, Math.min(4, spec.series.length, Math.floor(width / 200)))) * 140 + 36;
  return width < 480 ? 240 : 320;
}

export function Chart({ spec, label }: { spec: Spec; label: string }) {
  const { t } = useWords();
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [failed, setFailed] = useState<Spec | null>(null);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    // Told after the layout and not asked for, which would make the browser lay the page out once more for each chart.
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(element);
    // Wanted soon by who scrolls or prints; what can be seen already does not wait for it.
    void drawing();
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element || width < 40) return;
    delete element.dataset.drawn;
    undrawn.set(element, (draw) => {
      const picture = drawn(draw, spec, width);
      // No picture stays under a title that is not its own.
      element.replaceChildren(...(picture ? [picture] : []));
      if (picture) element.dataset.drawn = "yes";
      else setFailed(spec);
    });
    nearing.observe(element);
    return () => leave(element);
  }, [spec, width]);

  const height = `${expected(spec, width || 640)}px`;
  return (
    <>
      <div class={`chart chart-${spec.kind}`} hidden={failed === spec} dir="ltr" role="img" aria-label={label} ref={box} style={{ minHeight: height }} />
      {failed === spec && <p class="nochart" role="status">{t("figure.undrawn")}</p>}
    </>
  );
}

function drawn(draw: Draw | null, spec: Spec, width: number): Element | null {
  try {
    return draw && draw(spec, width);
  } catch (error) {
    console.error(error);
    return null;
  }
}

/** Signs of the series, and what shade, hollow signs and crosses mean, as far as they occur. */
export function Key({ spec, bounds = false }: { spec: Spec; bounds?: boolean }) {
  const { t } = useWords();
  const has = (test: (m: Spec["marks"][number]) => boolean) => spec.marks.some(test);
  const named = spec.kind === "lines" && spec.series.length > 1;
  const valued = spec.marks.filter((m) => m.value !== null);
  const widths = valued.every((m) => m.lo === null) ? "unknown" : valued.every((m) => m.lo === m.hi) ? "exact" : bounds ? "bounds" : "band";
  return (
    <ul class="key">
      {named &&
        spec.series.map((series, n) => (
          <li key={series}>
            <Sign at={n} /> {series}
          </li>
        ))}
      <li>{(widths === "bounds" || widths === "band") && <span class="swatch band" />} {t(`legend.${widths}`)}</li>
      {has((m) => m.look === "hollow") && <li><span class="swatch hollow" /> {t("legend.open")}</li>}
      {has((m) => m.look === "hidden") && <li><span class="swatch cross" /> {t("legend.cross")}</li>}
    </ul>
  );
}

const SHAPES = [
  <circle cx="14" cy="6" r="3.6" />,
  <rect x="10.8" y="2.8" width="6.4" height="6.4" />,
  <path d="M14 1.8 18 9.4H10Z" />,
  <path d="M14 1.4 18.4 6 14 10.6 9.6 6Z" />,
  <path d="M14 1l1.3 3.2 3.4.3-2.6 2.2.8 3.4-2.9-1.8-2.9 1.8.8-3.4-2.6-2.2 3.4-.3Z" />,
  <path d="M12.8 6 10 4l1-1.8 3 1.6 3-1.6L18 4l-2.8 2v4.4h-2.4Z" />,
];

function Sign({ at }: { at: number }) {
  const colour = COLOURS[at % COLOURS.length];
  return (
    <svg class="sign" width="28" height="12" viewBox="0 0 28 12" aria-hidden="true" fill={colour}>
      <path d="M0 6H28" stroke={colour} stroke-width="2" stroke-dasharray={DASHES[at % DASHES.length]} fill="none" />
      {SHAPES[at % SHAPES.length]}
    </svg>
  );
}

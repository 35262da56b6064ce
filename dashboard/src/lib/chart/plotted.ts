import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Attachment } from 'svelte/attachments';

/** What a drawing takes from the page it stands in. */
export interface Look {
  /** What a colour token of the styles is in the theme that holds now. */
  colour: (token: string) => string;
  /** What both axes have in common. */
  axis: uPlot.Axis;
}

export interface Plot {
  heightPx: number;
  data: () => uPlot.AlignedData;
  options: (look: Look) => Omit<uPlot.Options, 'width' | 'height'>;
}

function lookOf(element: HTMLElement): Look {
  const style = getComputedStyle(element);
  // A token names a colour for each theme; which one holds is known where it is used.
  const colour = (token: string) => {
    element.style.color = `var(${token})`;
    const { color } = style;
    element.style.color = '';
    return color;
  };
  const axis = {
    stroke: colour('--ink-quiet'),
    font: `12px ${style.fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return { colour, axis };
}

/** The axis below the bars: labels stand at `places` themselves, thinned to one each `labelPx` pixels at most. */
export function placesAxis(
  { axis }: Look,
  places: readonly number[],
  labelPx: number,
  labelOf: (place: number) => string,
): uPlot.Axis {
  return {
    ...axis,
    grid: { show: false },
    size: 28,
    splits: (plot) => {
      const every = Math.max(1, Math.ceil(places.length / Math.max(1, Math.floor(plot.width / labelPx))));
      return places.filter((_, index) => index % every === 0);
    },
    values: (_plot, ticks) => ticks.map(labelOf),
  };
}

/** A series drawn as filled bars. */
export function barsOf(colour: string, size: uPlot.Series.BarsPathBuilderOpts): uPlot.Series {
  const paths = uPlot.paths.bars?.({ align: 0, ...size });
  return { fill: colour, stroke: colour, width: 0, points: { show: false }, ...(paths ? { paths } : {}) };
}

/** Draws into an element and redraws when its size, the theme or what is drawn changes. Everything is undone at the end. */
export function plotted({ heightPx, data, options }: Plot): Attachment<HTMLElement> {
  return (element) => {
    const size = () => ({ width: Math.max(1, element.clientWidth), height: heightPx });
    const draw = () => new uPlot({ ...options(lookOf(element)), ...size() }, data(), element);
    let plot = draw();
    const again = () => {
      plot.destroy();
      plot = draw();
    };
    const resized = new ResizeObserver(() => plot.setSize(size()));
    resized.observe(element);
    const themed = new MutationObserver(again);
    themed.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', again);
    return () => {
      resized.disconnect();
      themed.disconnect();
      system.removeEventListener('change', again);
      plot.destroy();
    };
  };
}

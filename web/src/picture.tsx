/** The one picture of a fleet: past load, the fan of its forecast, and the floor, in what the floor can serve. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { toneOf } from "./badge";
import { chosenZone } from "./airflow";
import { pictureData, sizeAt, stepAt, type Given, type PictureData } from "./picture_data";
import { to } from "./route";
import { clock, load, percent } from "./wording";

const HEIGHT = 340;
const NEAR = 8; // pixels
const [MIDDLE, HIGH] = [2, 3]; // places among the series

export function Picture({ theme, ...given }: Given & { theme: string }) {
  const place = useRef<HTMLDivElement>(null);
  const [pointed, point] = useState<number | null>(null);
  const now = Math.floor(Date.now() / 60_000) * 60;
  const { fleet, history, forecast, capacity, plan, events } = given;
  const data = useMemo(() => pictureData(given, now), [fleet, history, forecast, capacity, plan, events, now]);
  const chart = useRef<uPlot | null>(null);
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    if (!place.current) return;
    const drawn = drawInto(place.current, () => latest.current, fleet.target_per_instance, point);
    chart.current = drawn;
    const watch = new ResizeObserver(([seen]) => seen && drawn.setSize({ width: seen.contentRect.width, height: HEIGHT }));
    watch.observe(place.current);
    return () => {
      watch.disconnect();
      drawn.destroy();
    };
  }, [fleet.target_per_instance, theme]);
  useEffect(() => {
    if (chart.current) refresh(chart.current, data);
  }, [data]);
  const move = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12 }[event.key];
    if (by === undefined || !chart.current) return;
    event.preventDefault();
    const from = pointed ?? data.times.indexOf(data.now);
    pointAt(chart.current, data, Math.max(0, Math.min(data.times.length - 1, from + by)), point);
  };
  return (
    <figure class="picture">
      <div ref={place} class="plot" tabIndex={0} role="img" aria-label={told(data)} onKeyDown={move} />
      <figcaption>
        <Legend target={fleet.target_per_instance} />
        <Readout data={data} index={pointed} target={fleet.target_per_instance} />
      </figcaption>
    </figure>
  );
}

function Legend({ target }: { target: number }) {
  return (
    <div class="legend">
      <span class="key measured">measured</span>
      <span class="key middle">forecast p50</span>
      <span class="key fan">to p90</span>
      <span class="key floor">{`planned floor × ${load(target)} each`}</span>
      <span class="key serving">in service</span>
      <span class="key wanted">desired</span>
      <span class="key mark">events</span>
    </div>
  );
}

/** What is under the pointer, in words; the place is kept free, so nothing moves. */
function Readout({ data, index, target }: { data: PictureData; index: number | null; target: number }) {
  const here = index === null ? undefined : data.times[index];
  const time = here ?? data.now;
  const at = data.times.indexOf(time);
  const step = stepAt(data.steps, time);
  const size = sizeAt(data.sizes, time, data.now);
  const value = (values: (number | null)[]) => nearest(values, at);
  const near = index === null ? [] : data.marks.filter((mark) => Math.abs(mark.time - time) <= 900).slice(0, 3);
  return (
    <div class="readout" aria-live="polite">
      <strong>{here === undefined ? `now, ${clock(time * 1000)}` : clock(time * 1000)}</strong>
      {value(data.measured) !== null && <span>measured {load(value(data.measured))}</span>}
      {data.measured[at] === null && <span>not measured</span>}
      {value(data.high) !== null && (
        <span>
          p50 {load(value(data.middle))}, p90 {load(value(data.high))}
        </span>
      )}
      {here === undefined && data.serving !== null && (
        <span>
          {data.serving} in service of {data.desired}, serve {load(data.serving * target)}
        </span>
      )}
      {here !== undefined && size && (
        <span>
          {size.serving} in service of {size.desired}
        </span>
      )}
      {!step && size && (
        <span class="reason">
          floor <b>{size.floor}</b> then, serves {load(size.floor * target)}
        </span>
      )}
      {step && (
        <span class="reason">
          floor <b>{step.capacity}</b>, serves {load(step.capacity * target)}: {step.reason}
        </span>
      )}
      {near.map(({ event }) => (
        <a key={event.id} class={toneOf(event.kind)} href={to("event", String(event.id))}>{`${event.kind}: ${event.reason}`}</a>
      ))}
    </div>
  );
}

/** The picture for who cannot see it. */
function told(data: PictureData): string {
  const peak = data.high.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  if (peak === 0) return "Measured load; there is no forecast yet. Arrow keys read it value by value.";
  const when = data.times[data.high.indexOf(peak)]!;
  const sizes = data.steps.map((step) => step.capacity);
  const floor = sizes.length ? `; planned floor between ${Math.min(...sizes)} and ${Math.max(...sizes)}` : "";
  const gaps = data.measured.filter((value) => value === null).length / Math.max(1, data.measured.filter((value) => value !== undefined).length);
  const missing = gaps > 0.005 ? `; ${percent(gaps)} of the past was not measured` : "";
  return `Load and its forecast: p90 peaks at ${load(peak)} on ${clock(when * 1000)}${floor}${missing}. Arrow keys read it value by value.`;
}

function nearest(values: (number | null | undefined)[], index: number): number | null {
  for (const by of [0, -1, 1]) {
    const value = values[index + by];
    if (value !== undefined && value !== null) return value;
    if (value === null) return null;
  }
  return null;
}

function pointAt(chart: uPlot, data: PictureData, index: number, point: (index: number) => void): void {
  chart.setCursor({ left: chart.valToPos(data.times[index]!, "x"), top: chart.bbox.height / devicePixelRatio / 3 }, false);
  point(index);
}

function drawInto(place: HTMLDivElement, data: () => PictureData, target: number, point: (index: number | null) => void): uPlot {
  return new uPlot(options(place.clientWidth, data, target, inks(place), point), aligned(data()), place);
}

/** New values, and whoever has zoomed in stays where they are. */
function refresh(chart: uPlot, data: PictureData): void {
  const times = chart.data[0];
  const { min, max } = chart.scales["x"]!;
  const zoomed = (min ?? -Infinity) > (times[0] ?? 0) || (max ?? Infinity) < (times.at(-1) ?? 0);
  chart.setData(aligned(data), !zoomed);
  if (zoomed) chart.redraw();
}

function aligned(data: PictureData): uPlot.AlignedData {
  return [data.times, data.measured, data.middle, data.high, data.floor, data.wanted, data.served] as uPlot.AlignedData;
}

type Inks = ReturnType<typeof inks>;

/** The canvas knows no style sheet: ask a probe which colours the theme gives. */
function inks(place: HTMLElement) {
  const probe = place.appendChild(document.createElement("span"));
  const of = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = {
    ink: of("ink"),
    text: of("muted"),
    grid: of("line"),
    measured: of("measured"),
    forecast: of("forecast"),
    fan: of("fan"),
    floor: of("floor"),
    bad: of("bad"),
    warn: of("warn"),
    good: of("good"),
    calm: of("calm"),
    plain: of("muted"),
    font: `12px ${getComputedStyle(place).fontFamily}`,
  };
  probe.remove();
  return found;
}

function options(width: number, data: () => PictureData, target: number, ink: Inks, point: (index: number | null) => void): uPlot.Options {
  const stepped = uPlot.paths.stepped!({ align: 1 });
  const axis = { stroke: ink.text, font: ink.font, ticks: { show: false } };
  const zone = chosenZone();
  return {
    width,
    height: HEIGHT,
    padding: [18, null, 0, null],
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), zone),
    cursor: { drag: { x: true, y: false }, points: { size: 7 } },
    legend: { show: false },
    scales: {
      load: { range: (_chart, _low, high) => [0, Math.max(high, target, (data().desired ?? 0) * target, (data().serving ?? 0) * target) * 1.06] },
      size: { from: "load", range: (_chart, low, high) => [(low ?? 0) / target, (high ?? target) / target] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 70, values: hours },
      { ...axis, scale: "load", grid: { stroke: ink.grid, width: 1 }, size: width < 500 ? 44 : 58, values: (_chart, ticks) => ticks.map(load) },
      { ...axis, scale: "size", side: 1, grid: { show: false }, size: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500], values: (_chart, ticks) => ticks.map(String) },
    ],
    series: [
      {},
      { scale: "load", stroke: ink.measured, width: 1.5, points: { show: false } },
      { scale: "load", stroke: ink.forecast, width: 1.5, dash: [4, 3], points: { show: false } },
      { scale: "load", stroke: ink.forecast, width: 1.25, points: { show: false } },
      { scale: "load", stroke: ink.floor, width: 2, paths: stepped, points: { show: false } },
      { scale: "load", stroke: ink.text, width: 1.25, dash: [2, 3], paths: stepped, points: { show: false } },
      { scale: "load", stroke: ink.ink, width: 1.5, paths: stepped, points: { show: false } },
    ],
    bands: [{ series: [HIGH, MIDDLE], fill: ink.fan }],
    hooks: {
      setCursor: [(chart) => point(pointedAt(chart))],
      draw: [(chart) => drawMarks(chart, data(), ink), (chart) => drawServing(chart, data(), target, ink)],
    },
  };
}

function pointedAt(chart: uPlot): number | null {
  const { left, idx } = chart.cursor;
  return left === undefined || left < 0 || idx === undefined || idx === null ? null : idx;
}

/** Days are named where they begin; in between the hour is enough. */
function hours(_chart: uPlot, ticks: number[]): string[] {
  let day = "";
  return ticks.map((tick) => {
    const [name = "", hour = ""] = clock(tick * 1000).split(" ");
    const label = name === day ? hour : `${hour}\n${name}`;
    day = name;
    return label;
  });
}

/** What is there now, beside what the plan wants: a dot for the instances in service, a ring for more or fewer desired. */
function drawServing(chart: uPlot, { now, desired, serving }: PictureData, target: number, ink: Inks): void {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  const x = chart.valToPos(now, "x", true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  const circle = (size: number, radius: number) => {
    ctx.beginPath();
    ctx.arc(x, chart.valToPos(size * target, "load", true), radius * ratio, 0, 2 * Math.PI);
  };
  ctx.save();
  ctx.fillStyle = ctx.strokeStyle = ink.ink;
  ctx.lineWidth = 1.5 * ratio;
  if (serving !== null) {
    circle(serving, 4);
    ctx.fill();
  }
  if (desired !== null && desired !== serving) {
    circle(desired, 5);
    ctx.stroke();
  }
  ctx.restore();
}

/** A line at now, and a triangle at the top for every event. */
function drawMarks(chart: uPlot, data: PictureData, ink: Inks): void {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  ctx.save();
  const now = chart.valToPos(data.now, "x", true);
  ctx.strokeStyle = ink.text;
  ctx.lineWidth = ratio;
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(now, bbox.top);
  ctx.lineTo(now, bbox.top + bbox.height);
  ctx.stroke();
  for (const { time, event } of data.marks) {
    const x = chart.valToPos(time, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.fillStyle = ink[toneOf(event.kind) as "bad" | "warn" | "good" | "calm" | "plain"];
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x - (NEAR / 2) * ratio, bbox.top - NEAR * ratio);
    ctx.lineTo(x + (NEAR / 2) * ratio, bbox.top - NEAR * ratio);
    ctx.fill();
  }
  ctx.restore();
}

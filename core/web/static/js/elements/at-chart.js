// A picture of the table below it, drawn by ECharts, which is fetched when one comes into sight.
// On a canvas with texts in it: what stands in the document could bear no styles of its own (CSP).

let library;
function load(address) {
  library ??= import(address).then(() => globalThis.echarts);
  return library;
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function written(series, given) {
  const options = series.share
    ? { style: "percent", maximumFractionDigits: 1 }
    : series.money && given.unit.length === 3
      ? { style: "currency", currency: given.unit, maximumFractionDigits: 0 }
      : { maximumFractionDigits: 0 };
  const format = new Intl.NumberFormat(given.locale, options);
  return (value) => format.format(value ?? 0);
}

// A share has an axis of its own, on the right where there is money as well.
function axes(given, quiet, line, narrow) {
  const amounts = given.series.find((each) => !each.share);
  const shares = given.series.find((each) => each.share);
  const axis = (series, more) => ({
    type: "value",
    splitNumber: narrow ? 3 : 5,
    axisLabel: { color: quiet, hideOverlap: true, formatter: written(series, given) },
    splitLine: { lineStyle: { color: line } },
    ...more,
  });
  const found = amounts ? [axis(amounts, {})] : [];
  if (shares) found.push(axis(shares, { min: 0, max: 1, splitLine: { show: !amounts, lineStyle: { color: line } } }));
  return found;
}

function options(given, narrow) {
  const quiet = color("--at-quiet");
  const text = color("--at-text");
  const line = color("--at-line");
  const several = given.series.length > 1;
  const palette = [color("--at-brand"), color("--at-chart-second")];
  // Words side by side have no room on a telephone: few of them stand one above the other.
  const few = given.names.length <= 8;
  const sideways = narrow && few && !several;
  const names = {
    type: "category",
    data: given.names,
    axisTick: { show: false },
    axisLine: { lineStyle: { color: line } },
    axisLabel: { color: quiet, hideOverlap: true, lineHeight: 14, ...(few ? { interval: 0, width: 120, overflow: "break", rotate: narrow && !sideways ? 30 : 0 } : {}) },
  };
  return {
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    color: palette,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: text },
    grid: { left: 8, right: 12, top: several ? 40 : 16, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    legend: several ? { top: 4, textStyle: { color: text }, itemWidth: 14, itemHeight: 10 } : undefined,
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      confine: true,
      axisPointer: { type: given.names.length > 40 ? "line" : "shadow" },
      backgroundColor: color("--at-surface"),
      borderColor: color("--at-line-strong"),
      textStyle: { color: text },
      formatter: (points) =>
        [points[0].axisValueLabel, ...points.map((each) => `${each.seriesName}: ${written(given.series[each.seriesIndex], given)(each.value)}`)].join("\n"),
    },
    xAxis: sideways ? axes(given, quiet, line, true)[0] : names,
    yAxis: sideways ? { ...names, inverse: true } : axes(given, quiet, line, false),
    series: given.series.map((each) => ({
      name: each.name,
      type: each.line ? "line" : "bar",
      yAxisIndex: each.share && given.series.some((other) => !other.share) ? 1 : 0,
      data: each.values,
      barMaxWidth: 44,
      showSymbol: false,
      itemStyle: { borderRadius: sideways ? [0, 3, 3, 0] : [3, 3, 0, 0] },
    })),
  };
}

customElements.define(
  "at-chart",
  class extends HTMLElement {
    connectedCallback() {
      this.given = JSON.parse(this.querySelector("script").textContent);
      this.hidden = false;
      this.seen = new IntersectionObserver((entries) => {
        if (!entries.some((each) => each.isIntersecting)) return;
        this.seen.disconnect();
        this.draw();
      }, { rootMargin: "200px" });
      this.seen.observe(this);
    }

    async draw() {
      const echarts = await load(this.dataset.library);
      if (!this.isConnected) return;
      const place = this.appendChild(document.createElement("div"));
      place.className = "at-chart-place";
      this.chart = echarts.init(place, null, { renderer: "canvas" });
      const show = () => {
        this.chart.resize();
        this.chart.setOption(options(this.given, this.clientWidth < 480), true);
      };
      show();
      this.sized = new ResizeObserver(show);
      this.sized.observe(this);
      this.themed = new MutationObserver(show);
      this.themed.observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    }

    disconnectedCallback() {
      for (const each of [this.seen, this.sized, this.themed]) each?.disconnect();
      this.chart?.dispose();
    }
  },
);

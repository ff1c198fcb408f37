// The constants, helper functions and visualizers that the service's documentation promises to evalscripts
// ("Utility functions"), written from their descriptions; its examples are tests.
//
// Each is a configurable global, not a declaration: a script may declare a name of its own over any of them.

(() => {
  "use strict";

  const share = (things) => {
    for (const [name, value] of Object.entries(things)) {
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
    }
  };
  const clamp = (value) => Math.min(1, Math.max(0, value));

  // --- numbers ---

  const JAVA_DOUBLE_MAX_VAL = Number.MAX_VALUE;

  function index(x, y) {
    const sum = x + y;
    return sum === 0 ? 0 : (x - y) / sum;
  }

  function inverse(x) {
    return x === 0 ? JAVA_DOUBLE_MAX_VAL : 1 / x;
  }

  // values[k] belongs to (intervals[k - 1], intervals[k]]; the last value also to all that is larger.
  function valueMap(value, intervals, values) {
    if (intervals === undefined) return value;
    for (let k = 0; k < intervals.length; k++) {
      if (value <= intervals[k]) return values[k];
    }
    return values[intervals.length - 1];
  }

  // Straight lines through (intervals[k], values[k]), level beyond both ends; a value may be an array of numbers.
  function valueInterpolate(value, intervals, values) {
    if (intervals === undefined) return value;
    const last = intervals.length - 1;
    if (value <= intervals[0]) return values[0];
    for (let k = 1; k <= last; k++) {
      if (value <= intervals[k]) {
        const share = (value - intervals[k - 1]) / (intervals[k] - intervals[k - 1]);
        const [from, to] = [values[k - 1], values[k]];
        return Array.isArray(from) ? from.map((one, i) => one + share * (to[i] - one)) : from + share * (to - from);
      }
    }
    return values[last];
  }

  // --- colours: integers 0xRRGGBB, triplets 0..255, or triplets 0..1 ---

  const int2rgb = (color) => [(color >> 16) & 255, (color >> 8) & 255, color & 255];
  const rgb2int = (color) => color[0] * 65536 + color[1] * 256 + color[2];
  const normalizeRGB = (rgb255Array) => rgb255Array.map((value) => value / 255);
  const combine = (color1, color2, alpha) => color1.map((one, i) => one * alpha + color2[i] * (1 - alpha));
  const triplet = (color) => (Array.isArray(color) ? color.map((value) => Math.round(255 * value)) : int2rgb(color));

  const blueRed = [
    [1, 0x000080], [0.875, 0x0000ff], [0.625, 0x00ffff], [0.375, 0xffff00], [0.125, 0xff0000], [0, 0x800000],
  ];
  const redTemperature = [[1, 0x000000], [0.525, 0xae0000], [0.3, 0xff6e00], [0.25, 0xff8600], [0, 0xffffff]];
  const greenWhite = [[1, 0x000000], [0.6, 0x006600], [0.3, 0x80b300], [0, 0xffffff]];
  const oceanColor = [
    [0, [147, 0, 108]], [0.0471, [111, 0, 144]], [0.098, [72, 0, 183]], [0.149, [33, 0, 222]], [0.2, [0, 10, 255]],
    [0.2471, [0, 74, 255]], [0.298, [0, 144, 255]], [0.349, [0, 213, 255]], [0.4, [0, 255, 215]],
    [0.4471, [0, 255, 119]], [0.498, [0, 255, 15]], [0.549, [96, 255, 0]], [0.6, [200, 255, 0]],
    [0.6471, [255, 235, 0]], [0.698, [255, 183, 0]], [0.749, [255, 131, 0]], [0.8, [255, 79, 0]],
    [0.8471, [255, 31, 0]], [0.898, [230, 0, 0]], [0.949, [165, 0, 0]], [1, [105, 0, 0]],
  ].map(([value, color]) => [value, normalizeRGB(color)]);

  class Visualizer {
    processList(components) {
      return components.map((value) => this.process(value));
    }
  }

  // The colour of the largest value that is not above; of the first below all.
  class ColorMapVisualizer extends Visualizer {
    constructor(valColPairs) {
      super();
      this.pairs = valColPairs.map(([value, color]) => [value, normalizeRGB(triplet(color))]);
      this.pairs.sort((a, b) => a[0] - b[0]);
    }

    process(val) {
      let k = 0;
      while (k + 1 < this.pairs.length && val >= this.pairs[k + 1][0]) k++;
      return this.pairs[k][1].slice();
    }

    static createDefaultColorMap() {
      return new ColorMapVisualizer([
        [-1.0, 0x000000], [-0.2, 0xff0000], [-0.1, 0x9a0000], [0.0, 0x660000], [0.1, 0xffff33], [0.2, 0xcccc33],
        [0.3, 0x666600], [0.4, 0x33ffff], [0.5, 0x33cccc], [0.6, 0x006666], [0.7, 0x33ff33], [0.8, 0x33cc33],
        [0.9, 0x006600],
      ]);
    }
  }

  // Colours between those of the pairs, as whole numbers of 255. With minVal and maxVal the first pair lies at
  // minVal and the last at maxVal, so that the tables above, which run downwards, start with their first colour.
  class ColorRampVisualizer extends Visualizer {
    constructor(ramps, minVal, maxVal) {
      super();
      const [first, last] = [ramps[0][0], ramps[ramps.length - 1][0]];
      let place = (value) => value;
      if (minVal !== undefined || maxVal !== undefined) {
        const from = minVal ?? Math.min(first, last), to = maxVal ?? Math.max(first, last);
        place = (value) => from + Math.abs(value - first) / Math.abs(last - first) * (to - from);
      }
      this.place(ramps.map(([value, color]) => [place(value), triplet(color)]));
    }

    place(pairs) {
      pairs.sort((a, b) => a[0] - b[0]);
      this.values = pairs.map(([value]) => value);
      this.colors = pairs.map(([, color]) => color);
    }

    process(value) {
      return valueInterpolate(value, this.values, this.colors).map((part) => Math.round(part) / 255);
    }

    inverse() {
      const other = Object.create(ColorRampVisualizer.prototype);
      const sum = this.values[0] + this.values[this.values.length - 1];
      other.place(this.values.map((value, k) => [sum - value, this.colors[k]]));
      return other;
    }

    static createRedTemperature(minVal = 0, maxVal = 1) {
      return new ColorRampVisualizer(redTemperature, minVal, maxVal);
    }

    static createWhiteGreen(minVal = 0, maxVal = 1) {
      return new ColorRampVisualizer(greenWhite, minVal, maxVal);
    }

    static createBlueRed(minVal = 0, maxVal = 1) {
      return new ColorRampVisualizer(blueRed, minVal, maxVal);
    }

    static createOceanColor(minVal = 0, maxVal = 1) {
      return new ColorRampVisualizer(oceanColor, minVal, maxVal);
    }
  }

  // The older name; it always spans minVal..maxVal.
  class ColorGradientVisualizer extends ColorRampVisualizer {
    constructor(valColPairs, minVal = 0, maxVal = 1) {
      super(valColPairs, minVal, maxVal);
    }
  }

  // minValue..maxValue to 0..1; where maxValue lies within (0, 1), what comes out above 0.92 is compressed so that
  // twice the range still fits.
  class HighlightCompressVisualizer extends Visualizer {
    constructor(minValue = 0, maxValue = 1, gain = 1, offset = 0, gamma = 1) {
      super();
      Object.assign(this, { minValue, maxValue, gain, offset, gamma });
      this.compress = maxValue > 0 && maxValue < 1;
    }

    process(val) {
      let value = this.gain * (val - this.minValue) / (this.maxValue - this.minValue) + this.offset;
      if (this.gamma !== 1) value = Math.pow(Math.max(0, value), this.gamma);
      if (this.compress && value > 0.92) value = 0.92 + (value - 0.92) * (1 - 0.92) / (2 - 0.92);
      return clamp(value);
    }
  }

  // The same for one band: an array of one value, as evaluatePixel returns it.
  class HighlightCompressVisualizerSingle extends HighlightCompressVisualizer {
    process(val) {
      return [super.process(val)];
    }

    processList(components) {
      return components.map((val) => super.process(val));
    }
  }

  const names = (list) => Object.freeze(Object.fromEntries(list.map((name) => [name, name])));
  share({
    Mosaicking: names(["SIMPLE", "ORBIT", "TILE"]),
    SampleType: names(["INT8", "UINT8", "INT16", "UINT16", "FLOAT32", "AUTO"]),
    JAVA_DOUBLE_MAX_VAL, index, inverse, valueMap, valueInterpolate, colorBlend: valueInterpolate,
    int2rgb, rgb2int, normalizeRGB, combine, blueRed, redTemperature, greenWhite, oceanColor,
    ColorMapVisualizer, ColorRampVisualizer, ColorGradientVisualizer,
    HighlightCompressVisualizer, HighlightCompressVisualizerSingle,
  });
})();

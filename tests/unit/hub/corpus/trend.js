//VERSION=3
// The slope of a straight line through NDVI over time, by least squares, per day.
function setup() {
  return { input: ["B04", "B08", "dataMask"], output: { bands: 1, sampleType: "FLOAT32" }, mosaicking: "ORBIT" };
}
function evaluatePixel(samples, scenes) {
  let n = 0, x = 0, y = 0, xx = 0, xy = 0;
  const start = Date.parse("2019-07-01T00:00:00Z");
  for (let i = 0; i < samples.length; ++i) {
    const { B04, B08, dataMask } = samples[i];
    if (dataMask !== 1) continue;
    const t = (Date.parse(scenes.orbits[i].dateFrom) - start) / 864e5;
    const v = (B08 - B04) / (B08 + B04);
    n += 1; x += t; y += v; xx += t * t; xy += t * v;
  }
  const slope = (n * xy - x * y) / (n * xx - x ** 2);
  return [slope];
}

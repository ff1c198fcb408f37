//VERSION=3
function setup() {
  return { input: ["B04", "B08", "dataMask"], output: { bands: 1, sampleType: "UINT16" }, mosaicking: "ORBIT" };
}

function dayOfYear(text) {
  const date = new Date(text);
  return (date - Date.UTC(date.getUTCFullYear(), 0, 0)) / 86400000;
}

function evaluatePixel(samples, scenes) {
  let best = -2, day = 0;
  samples.forEach((s, i) => {
    const ndvi = index(s.B08, s.B04);
    if (s.dataMask && ndvi > best) {
      best = ndvi;
      day = dayOfYear(scenes.orbits[i].dateFrom);
    }
  });
  return [day];
}

//VERSION=3
const ramps = [
  [-0.5, 0x0c0c0c],
  [0, 0xeaeaea],
  [0.2, 0xccc682],
  [0.4, 0x70a33f],
  [1, 0x004400],
];

const visualizer = new ColorRampVisualizer(ramps);

function setup() {
  return {
    input: ["B04", "B08", "dataMask"],
    output: { bands: 4, sampleType: "AUTO" },
  };
}

function evaluatePixel(samples) {
  let ndvi = index(samples.B08, samples.B04);
  const rgb = visualizer.process(ndvi);
  return [...rgb, samples.dataMask];
}

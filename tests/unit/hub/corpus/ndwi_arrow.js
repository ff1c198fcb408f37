//VERSION=3
const setup = () => ({
  input: [{ bands: ["B03", "B08"] }],
  output: [{ id: "default", bands: 1, sampleType: "FLOAT32" }],
});
const evaluatePixel = ({ B03, B08 }) => [index(B03, B08)];

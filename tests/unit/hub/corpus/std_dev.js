//VERSION=3
function setup(){return{input:["B08","dataMask"],output:{bands:2,sampleType:"FLOAT32"},mosaicking:"ORBIT"}}
function stdDev(array){
  const n=array.length
  if(n<2)return 0
  const mean=array.reduce((a,b)=>a+b)/n
  return Math.sqrt(array.map(x=>Math.pow(x-mean,2)).reduce((a,b)=>a+b)/(n-1))
}
function evaluatePixel(s){const v=s.filter(x=>x.dataMask).map(x=>x.B08);return[stdDev(v),v.length]}

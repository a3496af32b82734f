import v8 from "node:v8"; import { readFileSync } from "node:fs";
import { McpConnectionManager } from "@mcp-pool/core";
import { nothing } from "./src/plain/mcp-pool-of-objects.ts";
async function make(pools) {
  const pool = { minConnections: 1, maxConnections: 1, validateOnAcquire: false };
  const names = Array.from({ length: pools }, (_, i) => `server-${i}`);
  const m = new McpConnectionManager({ servers: Object.fromEntries(names.map((n) => [n, { connector: nothing, pool }])), settings: { maxTotalConnections: pools } });
  await m.warmUp();
  for (const n of names) await m.callTool(n, { name: "any" });
  return m;
}
function agg() { const f = v8.writeHeapSnapshot("/tmp/hot/h.heapsnapshot"); const s = JSON.parse(readFileSync(f)); const F = s.snapshot.meta.node_fields, n = F.length, T = s.snapshot.meta.node_types[0]; const ti = F.indexOf("type"), ni = F.indexOf("name"), si = F.indexOf("self_size"); const o = new Map(); for (let i = 0; i < s.nodes.length; i += n) { const k = T[s.nodes[i + ti]] + " " + s.strings[s.nodes[i + ni]].slice(0, 50); const e = o.get(k) ?? [0, 0]; e[0]++; e[1] += s.nodes[i + si]; o.set(k, e); } return o; }
const warm = await make(10); const a = agg(); const keep = await make(1000); const b = agg();
let t = 0, c = 0; const d = [...b].map(([k, [n, z]]) => [k, n - (a.get(k)?.[0] ?? 0), z - (a.get(k)?.[1] ?? 0)]); for (const x of d) { t += x[2]; c += x[1]; }
console.log("total", t / 1000, "objects", c / 1000); for (const [k, n, z] of d.sort((x, y) => y[2] - x[2]).slice(0, 60)) console.log((z / 1000).toFixed(0).padStart(6), (n / 1000).toFixed(1).padStart(6), k);
console.log(keep.servers().length, warm.servers().length);
process.exit(0);

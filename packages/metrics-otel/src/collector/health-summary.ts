import type { AllMetrics, HealthSummary, ServerHealthMetrics } from "./metrics.ts";

/** Sums up how all servers do. */
export function healthSummary({ timestamp, global, servers }: AllMetrics): HealthSummary {
  const statuses = Object.entries(servers).map(([name, { health }]) => [name, health.status] as const);
  const count = (status: ServerHealthMetrics) => statuses.filter(([, own]) => own === status).length;
  const { totalServers, totalConnections, totalRequests, totalErrors } = global;
  const unavailableServers = count("unavailable");
  const criticalServers = count("critical");
  const warningServers = count("warning");
  const healthyServers = count("healthy");
  return {
    overallStatus: overall(),
    totalServers,
    healthyServers,
    warningServers,
    criticalServers,
    unavailableServers,
    unknownServers: count("unknown"),
    servers: Object.fromEntries(statuses),
    totalConnections,
    totalRequests,
    totalErrors,
    timestamp,
  };

  function overall(): ServerHealthMetrics {
    if (unavailableServers > 0 && unavailableServers === totalServers) return "unavailable";
    if (unavailableServers + criticalServers > 0) return "critical";
    if (warningServers > 0) return "warning";
    return healthyServers > 0 ? "healthy" : "unknown";
  }
}

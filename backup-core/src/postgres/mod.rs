//! PostgreSQL servers and client programs, for sources, sinks and throw-away clusters.

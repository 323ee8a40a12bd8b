//! End-to-end tests against real PostgreSQL, real files and stock tools.

mod broken;
mod course;
mod found;
mod kills;
mod memory;
mod support;

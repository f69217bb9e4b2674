package node

// defaultMemory is assumed of a machine that does not tell its memory.
const defaultMemory = 4 << 30

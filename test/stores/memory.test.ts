/** The memory store keeps the contract of stores. */
import { memoryStore } from "steno-runtime";
import { test } from "vitest";
import { storeContract } from "../../runtime/stores/contract.js";

test.each(storeContract(() => memoryStore()))("$name", ({ run }) => run());

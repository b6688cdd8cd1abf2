export {};
//# sourceMappingURL=embedding-model.js.map
export {};
//# sourceMappingURL=mgit.js.map
export const measure = async (_arena: unknown) => null
export const text = (_: unknown) => ""

/** What the fake S3 uses of a package without types. */
declare module "aws4" {
  interface Request {
    readonly service: string
    readonly region: string
    readonly method: string
    readonly host: string
    readonly path: string
    readonly headers?: Readonly<Record<string, string>>
    readonly signQuery?: boolean
    readonly extraHeadersToIgnore?: Readonly<Record<string, boolean>>
  }
  const aws4: {
    sign(
      request: Request,
      credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
    ): { readonly path?: string; readonly headers?: Readonly<Record<string, string>> }
  }
  export default aws4
}

namespace SafeLlama.Data;

/// <summary>The numbers of <c>tokenizer.ggml.token_type</c>.</summary>
internal static class GgufTokenTypes
{
    public const int Normal = 1;
    public const int Unknown = 2;
    public const int Control = 3;

    /// <summary>Found in a text as it stands, before anything is joined.</summary>
    public const int UserDefined = 4;
    public const int Unused = 5;
    public const int Byte = 6;

    public static int Of(TokenKind kind) => kind switch
    {
        TokenKind.Text => Normal,
        TokenKind.Unknown => Unknown,
        TokenKind.Byte => Byte,
        TokenKind.Added => UserDefined,
        TokenKind.Gap => Unused,
        _ => Control,
    };

    public static TokenKind Kind(int type) => type switch
    {
        Normal => TokenKind.Text,
        Unknown => TokenKind.Unknown,
        Byte => TokenKind.Byte,
        UserDefined => TokenKind.Added,
        _ => TokenKind.Control,
    };
}

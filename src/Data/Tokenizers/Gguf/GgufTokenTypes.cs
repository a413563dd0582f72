namespace SafeLlama.Data;

/// <summary>The numbers of <c>tokenizer.ggml.token_type</c>.</summary>
internal static class GgufTokenTypes
{
    public const int Normal = 1;
    public const int Unknown = 2;
    public const int Control = 3;
    public const int Unused = 5;
    public const int Byte = 6;

    /// <summary>
    /// Added tokens become control tokens: as user-defined ones (4) llama.cpp would find them in a user's text.
    /// </summary>
    public static int Of(TokenKind kind) => kind switch
    {
        TokenKind.Text => Normal,
        TokenKind.Unknown => Unknown,
        TokenKind.Byte => Byte,
        _ => Control,
    };

    public static TokenKind Kind(int type) => type switch
    {
        Normal => TokenKind.Text,
        Unknown => TokenKind.Unknown,
        Byte => TokenKind.Byte,
        _ => TokenKind.Control,
    };
}

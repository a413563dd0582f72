namespace SafeLlama.Data;

/// <summary>What a token of the vocabulary stands for.</summary>
internal enum TokenKind : byte
{
    /// <summary>Characters, or bytes of them: what text is made of.</summary>
    Text,

    /// <summary>One byte, spelled <c>&lt;0x0A&gt;</c>: how a character without a token of its own is written.</summary>
    Byte,

    /// <summary>The token for what cannot be written at all.</summary>
    Unknown,

    /// <summary>A mark such as BOS: placed by templates, by id, never found in text.</summary>
    Control,

    /// <summary>
    /// A token added after training and not marked special, such as <c>&lt;think&gt;</c>: found in text, shown as text.
    /// </summary>
    Added,

    /// <summary>An id that no token has; its text is empty.</summary>
    Gap,
}

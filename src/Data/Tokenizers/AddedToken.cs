namespace SafeLlama.Data;

/// <summary>A token added after training, with the rules by which Hugging Face finds it in a text.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its spelling.</param>
/// <param name="Kind"><see cref="TokenKind.Added"/>, or another kind, which is never found in a text.</param>
internal sealed record AddedToken(int Id, string Content, TokenKind Kind)
{
    /// <summary>Whether it is found only where no letter, digit or mark of a word touches it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Whether white space before it belongs to it.</summary>
    public bool StripsLeft { get; init; }

    /// <summary>Whether white space behind it belongs to it.</summary>
    public bool StripsRight { get; init; }

    /// <summary>Whether it is looked for in the normalized text, in its own normalized spelling.</summary>
    public bool Normalized { get; init; }
}

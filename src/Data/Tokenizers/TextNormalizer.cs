namespace SafeLlama.Data;

/// <summary>The normalizers of <c>tokenizer.json</c> that are computed: text put before, text replaced.</summary>
/// <param name="Steps">In order; <c>From</c> is null for a text that is put before.</param>
internal sealed record TextNormalizer(IReadOnlyList<(string? From, string To)> Steps)
{
    public static TextNormalizer None { get; } = new([]);

    /// <summary>Whether it is LLaMA's: a ▁ before the text, and one for every space.</summary>
    public bool IsLlamas => Steps is [(null, "▁"), (" ", "▁")];

    public string Apply(string text)
    {
        foreach (var (from, to) in Steps)
        {
            text = text.Length == 0 ? text
                : from is null ? to + text
                : text.Replace(from, to, StringComparison.Ordinal);
        }

        return text;
    }
}

using SafeLlama.Data;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>data tokenizer</c> can be told.</summary>
internal sealed class DataTokenizerOptions : OptionSet<DataTokenizerOptions.Request>
{
    public DataTokenizerOptions()
    {
        Add(nameof(Request.Data),
            $"Text to learn from: {SharedHelp.RowFormats}. Questions and answers count alike.", "FILE…",
            required: true);
        Add(nameof(Request.VocabularySize),
            "V: control tokens, 256 bytes, characters and merged pieces; fewer where pairs run out.", "V",
            required: true);
        Add(nameof(Request.MinimumFrequency),
            "How often a character or a pair must occur to be a piece; rarer ones are written in bytes.", "N");
        Add(nameof(Request.Control), "Control tokens beside <unk>, <s> and </s>, such as <|im_end|>.", "TOKEN…");
        Add(nameof(Request.Template), "Count the words that this template puts around every row too: "
            + $"{string.Join(", ", PromptTemplate.Names)}, or an Alpaca template's JSON file.", "NAME|FILE");
        Add(nameof(Request.Out), "The tokenizer's folder. A folder that is not empty is refused.", "DIR",
            required: true);
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public IReadOnlyList<string> Data { get; init; } = [];
        public int? VocabularySize { get; init; }
        public int MinimumFrequency { get; init; } = 2;
        public IReadOnlyList<string> Control { get; init; } = [];
        public string? Template { get; init; }
        public string Out { get; init; } = "";
        public bool Json { get; init; }
    }
}

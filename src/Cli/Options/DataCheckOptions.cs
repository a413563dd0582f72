using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>data check</c> can be told.</summary>
internal sealed class DataCheckOptions : OptionSet<DataCheckOptions.Request>
{
    public DataCheckOptions()
    {
        AddArgument(nameof(Request.Files), "FILE", $"Rows to look through: {SharedHelp.RowFormats}.");
        Add(nameof(Request.Against), "Evaluation prompts that no row may ask, exactly or nearly.", "FILE…");
        Add(nameof(Request.Jaccard),
            "With --against: the share of words in common, |A ∩ B| / |A ∪ B|, that makes a row a copy.", "0…1|P%");
        Add(nameof(Request.Model), "A folder with a tokenizer, or a GGUF file: lengths are given in tokens too.",
            "DIR|FILE.gguf");
        AddShared(nameof(Request.Template));
        Add(nameof(Request.MaxLength), "The most tokens of a row, beginning and end included.", "TOKENS");
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public IReadOnlyList<string> Files { get; init; } = [];
        public IReadOnlyList<string> Against { get; init; } = [];
        public Share Jaccard { get; init; } = Contamination.DefaultThreshold;
        public string? Model { get; init; }
        public string Template { get; init; } = TemplateResolver.Auto;
        public int MaxLength { get; init; } = 512;
        public bool Json { get; init; }
    }
}

using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>data convert</c> can be told.</summary>
internal sealed class DataConvertOptions : OptionSet<DataConvertOptions.Request>
{
    public DataConvertOptions()
    {
        AddArgument(nameof(Request.File), "FILE", $"Instruction rows to reword: {SharedHelp.RowFormats}.");
        Add(nameof(Request.To), "The form wanted.", required: true);
        Add(nameof(Request.Mapping),
            "Take wordings from this file, rows of origin_id and instruction, instead of by rule.", "FILE");
        Add(nameof(Request.Share), "The share of rows to reword; the rest stay as they are.", "0…1|P%");
        Add(nameof(Request.Seed), "Seeds which rows are reworded, where --share is less than 1.", "N");
        Add(nameof(Request.Out), SharedHelp.NewRows, "FILE", required: true);
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public string File { get; init; } = "";
        public PromptForm? To { get; init; }
        public string? Mapping { get; init; }
        public Share Share { get; init; } = 1;
        public long Seed { get; init; } = 1;
        public string Out { get; init; } = "";
        public bool Json { get; init; }
    }
}

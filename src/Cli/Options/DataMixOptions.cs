using SafeLlama.Common;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>data mix</c> can be told.</summary>
internal sealed class DataMixOptions : OptionSet<DataMixOptions.Request>
{
    public DataMixOptions()
    {
        Add(nameof(Request.Data), $"Base rows: {SharedHelp.RowFormats}.", "FILE…", required: true);
        Add(nameof(Request.Safety), "Safety demonstrations to draw from.", "FILE…", required: true);
        Add(nameof(Request.SafetyExamples),
            "How many safety rows, Ns; all where neither this nor --safety-share is given.", "N");
        Add(nameof(Request.SafetyShare), "Instead: the safety share Ns/(Nb+Ns), such as 0.02 or 2%.", "P|P%");
        Add(nameof(Request.BaseExamples), "How many base rows, Nb; all where not given.", "N");
        Add(nameof(Request.Independent),
            "Draw each size anew. Otherwise a larger mixture holds the smaller one's safety rows.");
        Add(nameof(Request.KeepDuplicates), "Keep rows that ask what an earlier row asked.");
        Add(nameof(Request.DataLicense), "The base rows' license, for the manifest.", "TEXT");
        Add(nameof(Request.SafetyLicense), "The safety rows' license, for the manifest.", "TEXT");
        AddShared(nameof(Request.Seed));
        Add(nameof(Request.Out), SharedHelp.NewRows, "FILE", required: true);
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public IReadOnlyList<string> Data { get; init; } = [];
        public IReadOnlyList<string> Safety { get; init; } = [];
        public int? SafetyExamples { get; init; }
        public Share? SafetyShare { get; init; }
        public int? BaseExamples { get; init; }
        public bool Independent { get; init; }
        public bool KeepDuplicates { get; init; }
        public string? DataLicense { get; init; }
        public string? SafetyLicense { get; init; }
        public long Seed { get; init; } = 1;
        public string Out { get; init; } = "";
        public bool Json { get; init; }
    }
}

using SafeLlama.Data;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>data show</c> can be told.</summary>
internal sealed class DataShowOptions : OptionSet<DataShowOptions.Request>
{
    public DataShowOptions()
    {
        AddArgument(nameof(Request.File), "FILE", $"Rows to show: {SharedHelp.RowFormats}.");
        Add(nameof(Request.Model), "A folder with the tokenizer that cuts the rows, or a GGUF file.",
            "DIR|FILE.gguf", required: true);
        AddShared(nameof(Request.Template));
        Add(nameof(Request.MaxLength), "The most tokens of a row, beginning and end included.", "TOKENS");
        Add(nameof(Request.TrainOnInputs), "Learn prompts too, not answers alone.");
        Add(nameof(Request.Rows), "Which rows, counted from 1: a number, a range, or several of them.", "3,7-9");
        Add(nameof(Request.Ids), "One token a line, with its place and id.");
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public string File { get; init; } = "";
        public string Model { get; init; } = "";
        public string Template { get; init; } = TemplateResolver.Auto;
        public int MaxLength { get; init; } = 512;
        public bool TrainOnInputs { get; init; }
        public string Rows { get; init; } = "1-3";
        public bool Ids { get; init; }
        public bool Json { get; init; }
    }
}

using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Kernels;

namespace SafeLlama.Cli.Results;

/// <summary>What <c>merge --json</c> prints.</summary>
/// <param name="Out">The new model folder.</param>
/// <param name="WeightsChanged">Weights that differ from the base after rounding.</param>
/// <param name="AdapterPairs">Pairs of A and B that were folded in.</param>
/// <param name="Bytes">Size of the merged weights.</param>
internal sealed record MergeResult(string Out, int WeightsChanged, int AdapterPairs, long Bytes)
{
    /// <summary>Over a quantized base, by layer: what quantizing the merged weights would err by, as a share of the
    /// update.</summary>
    public IReadOnlyDictionary<int, double>? Requantized { get; init; }
}

/// <summary>What <c>quantize --json</c> prints.</summary>
/// <param name="Out">The new model folder.</param>
/// <param name="To">What its linears became.</param>
/// <param name="Linears">How many.</param>
/// <param name="Bytes">Size of the new weights.</param>
/// <param name="BytesBefore">Size of the old ones.</param>
internal sealed record QuantizeResult(string Out, string To, int Linears, long Bytes, long BytesBefore);

/// <summary>What <c>export --json</c> prints.</summary>
/// <param name="Out">The new file or folder.</param>
/// <param name="To">The format asked for.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Type">How weights are stored; absent where they keep their type.</param>
/// <param name="Check">The original beside the export; absent without <c>--check</c>.</param>
internal sealed record ExportResult(
    string Out, string To, long Bytes, string? Type = null, ExportComparison? Check = null);

/// <summary>What <c>data tokenizer --json</c> prints.</summary>
/// <param name="Out">The tokenizer's folder.</param>
/// <param name="VocabularySize">Pieces; fewer than asked for where pairs ran out.</param>
/// <param name="Words">Distinct words of the text.</param>
/// <param name="WholeWords">Words that are one piece.</param>
/// <param name="Hash">Of the tokenizer.</param>
internal sealed record TokenizerResult(string Out, int VocabularySize, int Words, int WholeWords, string Hash);

/// <summary>What <c>data mix --json</c> prints.</summary>
/// <param name="Out">The file of rows.</param>
/// <param name="Manifest">The file that says what they are made of.</param>
/// <param name="BaseCount">Base rows, Nb.</param>
/// <param name="SafetyCount">Safety rows, Ns.</param>
/// <param name="SafetyShare">Ns/(Nb+Ns).</param>
/// <param name="RefusalShare">The share of safety answers that open with a refusal.</param>
/// <param name="Duplicates">Rows left out because an earlier row asks the same.</param>
/// <param name="Seed">Of the draw and the order.</param>
internal sealed record MixResult(
    string Out, string Manifest, int BaseCount, int SafetyCount, double SafetyShare, double RefusalShare,
    int Duplicates, long Seed)
{
    /// <summary>Whether a larger mixture holds the smaller one's safety rows.</summary>
    public required bool Nested { get; init; }
}

/// <summary>What <c>data pairs --json</c> prints.</summary>
/// <param name="Out">The file of pairs.</param>
/// <param name="Manifest">The file that says what they are made of.</param>
/// <param name="Judge">Whose verdicts counted.</param>
/// <param name="Counts">What became of every answer.</param>
internal sealed record PairsResult(string Out, string Manifest, string Judge, PairCounts Counts);

/// <summary>What <c>data convert --json</c> prints.</summary>
/// <param name="Out">The file of rows.</param>
/// <param name="Rows">Rows written.</param>
/// <param name="Converted">Rows reworded.</param>
/// <param name="AlreadyInForm">Rows that had the form wanted.</param>
/// <param name="LeftAsTheyWere">Rows not chosen, where only a share is converted.</param>
/// <param name="Unconvertible">Rows left out because no rule fits them.</param>
/// <param name="Rules">How often each rule was used.</param>
internal sealed record ConvertResult(
    string Out, int Rows, int Converted, int AlreadyInForm, int LeftAsTheyWere,
    IReadOnlyList<ConvertResult.Row> Unconvertible, IReadOnlyDictionary<string, int> Rules)
{
    /// <summary>A row that no rule fits.</summary>
    /// <param name="Id">The row's id.</param>
    /// <param name="Source">File and line.</param>
    /// <param name="Reason">Why.</param>
    internal sealed record Row(string Id, string Source, string Reason);
}

/// <summary>What <c>data show --json</c> prints.</summary>
/// <param name="Template">The prompt's form.</param>
/// <param name="Rows">Rows as they are learned.</param>
internal sealed record ShowResult(string Template, IReadOnlyList<ShowResult.Row> Rows)
{
    /// <summary>A row as it is learned.</summary>
    /// <param name="Id">The row's id.</param>
    /// <param name="Source">File and line.</param>
    /// <param name="FullLength">Tokens before it was cut.</param>
    /// <param name="Learned">Tokens with a target.</param>
    /// <param name="Tokens">Token by token.</param>
    internal sealed record Row(
        string Id, string Source, int FullLength, int Learned, IReadOnlyList<TokenPiece> Tokens);
}

/// <summary>What <c>score --json</c> prints.</summary>
/// <param name="Tokens">Every token but the first, which nothing predicts.</param>
/// <param name="Sum">Of the log-likelihoods, in nats.</param>
/// <param name="Mean">Of the log-likelihoods, in nats.</param>
/// <param name="Perplexity">e to the power of minus the mean.</param>
internal sealed record ScoreResult(IReadOnlyList<ScoreResult.Token> Tokens, double Sum, double Mean, double Perplexity)
{
    /// <summary>A token and how likely it was.</summary>
    /// <param name="Id">The token's id.</param>
    /// <param name="Text">Its text.</param>
    /// <param name="LogLikelihood">Given all tokens before it, in nats.</param>
    internal sealed record Token(int Id, string Text, double LogLikelihood);
}

/// <summary>What <c>doctor --json</c> prints.</summary>
/// <param name="Devices">The devices found.</param>
/// <param name="Device">The device checked; absent without <c>--deep</c>.</param>
/// <param name="Checks">What was checked; absent without <c>--deep</c>.</param>
internal sealed record DoctorResult(
    IReadOnlyList<DeviceReport> Devices, string? Device = null, IReadOnlyList<HealthCheck>? Checks = null);

/// <summary>What <c>doctor --kernel NAME --json</c> prints.</summary>
/// <param name="Kernel">Its name.</param>
/// <param name="Rows">Of its tile.</param>
/// <param name="Columns">Of its tile.</param>
/// <param name="Listing">Its machine code, with comments.</param>
internal sealed record KernelResult(string Kernel, int Rows, int Columns, IReadOnlyList<string> Listing);

/// <summary><c>reward.json</c> of <c>judge train</c>.</summary>
/// <param name="Kind"><c>pairs</c> or <c>ratings</c>.</param>
/// <param name="Trained">Rows learned.</param>
/// <param name="HeldOut">Rows held out.</param>
/// <param name="Truncated">Conversations that were too long and were cut.</param>
/// <param name="Accuracy">Held-out pairs ranked right; absent for ratings.</param>
/// <param name="MeanSquaredError">Over held-out ratings; absent for pairs.</param>
internal sealed record RewardResult(
    string Kind, int Trained, int HeldOut, int Truncated, Interval? Accuracy = null, Interval? MeanSquaredError = null);

/// <summary><c>capability.json</c> of an evaluation run.</summary>
/// <param name="Model">The model's identity.</param>
/// <param name="Shots">Examples before each question.</param>
/// <param name="Tasks">Multiple-choice results.</param>
/// <param name="Perplexity">Over held-out text; absent where none was given.</param>
internal sealed record CapabilityResult(
    string Model, int Shots, IReadOnlyList<MultipleChoice.Result> Tasks, Perplexity? Perplexity = null);

/// <summary><c>capability-run.json</c>: what scores that belong together share.</summary>
/// <param name="Model">The model's identity.</param>
/// <param name="Shots">Examples before each question.</param>
/// <param name="Seed">Of the draw of examples.</param>
/// <param name="Examples">SHA-256 of the file of examples; absent without them.</param>
internal sealed record CapabilityRun(string Model, int Shots, string? Examples, long Seed);

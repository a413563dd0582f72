using System.Globalization;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>What is worth knowing before a run: rank, learning rate, and what other choices would change.</summary>
/// <remarks>
/// Rules of thumb, each with its source, and differences of memory plans. Nothing is changed by them.
/// </remarks>
/// <param name="request">What the run is told.</param>
/// <param name="inputs">What it read.</param>
/// <param name="config">The request's training settings.</param>
/// <param name="backend">Plans memory; it outlives the lines, which are worked out as they are read.</param>
public sealed class FineTuneAdvice(
    FineTuneRequest request, FineTuneInputs inputs, TrainingConfig config, IBackend backend)
{
    private const string Regret = "Schulman et al. 2025, \"LoRA without regret\"";

    /// <summary>What a trained number stores: Allen-Zhu and Li 2024.</summary>
    private const double BitsPerNumber = 2;

    /// <summary>What a trained token brings, so far as is known before the run: Schulman et al. 2025.</summary>
    private const double BitsPerToken = 1;

    /// <summary>What a preference brings at most: which of two it is.</summary>
    private const double BitsPerPreference = 1;

    private const double FullRateAt2000 = 5e-5;
    private const double RateExponent = 0.781;

    /// <summary>LoRA's rate over that of full tuning.</summary>
    private const double LoraFactor = 10;

    private readonly LlamaConfig _shape = inputs.Shape;

    /// <summary>A line each.</summary>
    public IEnumerable<string> Lines()
    {
        if (config.Lora is not null)
        {
            yield return Rank();
        }

        yield return config.Preference is null ? LearningRate() : PreferenceRate();
        foreach (var line in Choices())
        {
            yield return line;
        }
    }

    /// <summary>The learning rate that the rule gives for this width.</summary>
    public static double UsualRate(int hiddenSize, bool full) =>
        FullRateAt2000 * (full ? 1 : LoraFactor) * Math.Pow(2000.0 / hiddenSize, RateExponent);

    private string Rank()
    {
        using var adapter = LoraAdapter.Plan(backend, _shape, config.Lora!);
        var learned = config.Preference is null
            ? inputs.Data.Training.Sum(row => (long)row.TargetCount) : inputs.Data.Training.Count;
        var (room, needed) = (BitsPerNumber * adapter.ParameterCount, BitsPerToken * learned);
        var (what, source) = config.Preference is null ? ("trained tokens", $"{Regret}: {BitsPerToken} a token")
            : ("preferences", $"{BitsPerPreference} each, which of two answers is better");
        var verdict = room >= needed
            ? "enough"
            : $"little: rank {Math.Ceiling(config.Lora!.Rank * needed / room):F0}, or more targets, would hold as much";
        return Say($"advice: rank {config.Lora!.Rank}: {adapter.ParameterCount:N0} values hold about {room:N0} bits ")
            + Say($"(Allen-Zhu and Li 2024, arXiv:2404.05405: {BitsPerNumber} a value), {learned:N0} {what} ")
            + Say($"bring about {needed:N0} ({source}): {verdict}.");
    }

    private string LearningRate()
    {
        var (rate, full) = (config.LearningRate, config.Lora is null);
        var usual = UsualRate(_shape.HiddenSize, full);
        var verdict = rate > 4 * usual ? "high" : rate < usual / 4 ? "low" : "usual";
        var what = full ? "full tuning" : "LoRA, ten times that of full tuning";
        return Say($"advice: learning rate {rate:G3}: {verdict}; for {what} the rule at a width of ")
            + Say($"{_shape.HiddenSize} is {usual:G2}, within a factor of 4 ({Regret}: 5e-5")
            + (full ? "" : " · 10") + " · (2000 / width)^0.781 for LLaMA).";
    }

    /// <summary>The rule is one of fine-tuning, and no rule for preferences is known: nothing is held against it.
    /// </summary>
    private string PreferenceRate() =>
        Say($"advice: learning rate {config.LearningRate:G3}: preferences are usually learned at smaller rates than ")
        + Say($"rows are (the rule for these is {UsualRate(_shape.HiddenSize, config.Lora is null):G2} here, {Regret}; ")
        + "TRL's defaults are 1e-6 for preferences and 2e-5 for rows): watch the log-probability of the chosen answers.";

    private IEnumerable<string> Choices()
    {
        var now = Plan(config, request.LoadForm);
        string Line(string choice, long bytes, string time) =>
            $"advice: {choice}: {Difference(bytes - now)}; {time}.";
        if (config.Recompute == Recompute.Nothing)
        {
            yield return Line(
                "`Recompute` block", Plan(config with { Recompute = Recompute.Block }, request.LoadForm),
                "about a third more work (one more forward: Chen et al. 2016, arXiv:1604.06174)");
        }

        if (config.MicroBatch > 1 && config.BatchSize % (config.MicroBatch / 2) == 0)
        {
            yield return Line(
                Say($"`MicroBatch` {config.MicroBatch / 2}"),
                Plan(config with { MicroBatch = config.MicroBatch / 2 }, request.LoadForm),
                "the same work in smaller products, the same gradient");
        }

        if (config.Lora is { Variant: LoraVariant.Lora } lora)
        {
            yield return Line(
                "`Variant` dora",
                Plan(config with { Lora = lora with { Variant = LoraVariant.Dora } }, request.LoadForm),
                "a pass more over each adapted product, and the norms of its weight once a step");
        }

        foreach (var form in Forms())
        {
            yield return Line(
                $"`Load` {SettingText.Of(form.As)}", Plan(config, form),
                form.As == LoadAs.Nf4
                    ? "the base is rounded (Dettmers et al. 2023, arXiv:2305.14314); decoding took 3% more of a step "
                        + "on a CPU, at 1.1 billion weights"
                    : "the base is rounded less (Dettmers et al. 2022, arXiv:2208.07339); decoding took 12% more of a "
                        + "step on a CPU, at 1.1 billion weights");
        }
    }

    /// <summary>The forms of the base that this run could take instead.</summary>
    private IEnumerable<LoadForm> Forms() =>
        config.Lora is null || request.Load != LoadAs.Stored || _shape.Quantization is not null
        || IsGguf(request.Model) ? [] : [new(LoadAs.Int8Weights), new(LoadAs.Nf4)];

    private static bool IsGguf(string? model) => model is not null && GgufHeader.IsGguf(model);

    private long Plan(TrainingConfig other, LoadForm load) => TrainingMemory.Of(
        backend, _shape, other, TrainingMemory.MicroBatchRows(other, inputs.Data), inputs.Data.Longest,
        request.Model is { } model ? LlamaWeights.BytesOf(model, load) : 0, load).Total;

    private static string Difference(long bytes) =>
        $"{MemoryPlan.Size(Math.Abs(bytes))} {(bytes > 0 ? "more" : "less")} memory";

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

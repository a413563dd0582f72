using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Formats numbers and untrusted text.</summary>
public static class ReportText
{
    /// <summary>"12% [8–17]"; "–" where nothing could be estimated.</summary>
    public static string Rate(Interval interval) => interval.IsNone
        ? "–"
        : $"{Percent.Of(interval.Value)} [{100 * interval.Low:0.#}–{100 * interval.High:0.#}]";

    /// <summary>"−47.5 [−52–−41]", in percentage points.</summary>
    public static string Points(Interval interval) => interval.IsNone ? "–"
        : double.IsNaN(interval.Low) ? $"{Signed(interval.Value)} [no limits]"
        : $"{Signed(interval.Value)} [{Signed(interval.Low)} to {Signed(interval.High)}]";

    /// <summary>"0.012", "&lt; 0.001"; "–" where no test applies.</summary>
    public static string P(double p) => double.IsNaN(p) ? "–" : p < 0.001 ? "< 0.001" : p.ToString("0.000");

    /// <summary>"SD 3.2", or "SD 2.1 between bases, 1.4 between seeds"; empty for one replicate.</summary>
    public static string Spread(MetricResult result) => (result.ModelSpread, result.SeedSpread) switch
    {
        ({ } models, { } seeds) => $"SD {Points(models)} between bases, {Points(seeds)} between seeds",
        ({ } models, null) => $"SD {Points(models)} between bases",
        (null, { } seeds) => $"SD {Points(seeds)}",
        _ => "",
    };

    public static string Verdict(ClaimVerdict verdict) => verdict switch
    {
        ClaimVerdict.Reproduced => "reproduced",
        ClaimVerdict.Partly => "partly reproduced",
        ClaimVerdict.CannotTell => "cannot decide",
        _ => "not reproduced",
    };

    /// <summary>A model's text, with characters that hide or rearrange text made visible.</summary>
    public static string Shown(string text) => SafeText.Shown(text);

    /// <summary>"3.2", a share in percentage points.</summary>
    public static string Points(double share) => (100 * share).ToString("0.#");

    private static string Signed(double difference) => (100 * difference).ToString("+0.#;−0.#;0");
}

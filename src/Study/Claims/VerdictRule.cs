using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>What limits say about a claim.</summary>
/// <remarks>
/// Not reproduced means that the limits exclude what the claim says. Limits that hold both that and no effect at all
/// leave it open: too little was measured.
/// </remarks>
internal static class VerdictRule
{
    /// <summary>A difference of some size in the claim's direction.</summary>
    /// <param name="near">The limit nearer to no effect, positive where the effect is on the claim's side.</param>
    /// <param name="far">The other limit.</param>
    /// <param name="threshold">The size that counts.</param>
    public static ClaimVerdict Beyond(double near, double far, double threshold) =>
        double.IsNaN(near) || double.IsNaN(far) ? ClaimVerdict.CannotTell
        : near >= threshold && near > 0 ? ClaimVerdict.Reproduced
        : near > 0 ? ClaimVerdict.Partly
        : Excludes(far, threshold) ? ClaimVerdict.NotReproduced
        : ClaimVerdict.CannotTell;

    /// <summary>Whether the farther limit leaves no room for an effect of that size.</summary>
    public static bool Excludes(double far, double threshold) => far < threshold || far <= 0;

    /// <summary>A difference that is none, within a margin.</summary>
    public static ClaimVerdict Within(Interval found, double margin) =>
        double.IsNaN(found.Low) || double.IsNaN(found.High) ? ClaimVerdict.CannotTell
        : found.Low > -margin && found.High < margin ? ClaimVerdict.Reproduced
        : found.Low >= margin || found.High <= -margin ? ClaimVerdict.NotReproduced
        : Math.Abs(found.Value) < margin ? ClaimVerdict.Partly
        : ClaimVerdict.CannotTell;
}

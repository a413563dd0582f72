using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Training;

/// <summary>The settings of safety-recovery rows; the defaults are their authors'.</summary>
/// <param name="Prefix">The most tokens of a harmful answer that a row begins with.</param>
/// <param name="Plain">The share of rows that begin with none.</param>
public sealed record RecoverySettings(int Prefix = 100, double Plain = 0.5);

/// <summary>Safety-recovery rows: a harmful answer begins, and turns to a refusal.</summary>
/// <remarks>
/// <code>row = prompt + the first k tokens of the harmful answer + refusal,  loss on the refusal alone</code>
/// k is 0 for a share of the rows and else uniform from 1 to <see cref="RecoverySettings.Prefix"/>, at most the
/// answer's length. Qi et al. 2024, arXiv:2406.05946.
/// </remarks>
public static class Recovery
{
    /// <param name="pairs">The refusal as the chosen answer, the harmful one as the rejected.</param>
    /// <param name="maxLength">The most tokens of a row; a longer prefix is cut to fit.</param>
    public static IReadOnlyList<TokenizedExample> Rows(
        IReadOnlyList<PreferenceExample> pairs, RecoverySettings settings, int maxLength, long seed)
    {
        var stream = Philox.Stream(seed, "recovery");
        return [.. pairs.Select((pair, i) =>
        {
            var second = pair.Sequences[1].Start;
            var prompt = pair.Tokens[..(pair.Sequences[0].Answer + 1)];
            var refusal = pair.Tokens[prompt.Length..second];
            var harmful = pair.Tokens.AsSpan(pair.Sequences[1].Answer + 1, pair.Sequences[1].AnswerCount - 1);
            var room = Math.Min(settings.Prefix, Math.Min(
                harmful.Length, maxLength - prompt.Length - refusal.Length));
            var k = room < 1 || stream.Uniform(2 * i) < settings.Plain ? 0 : 1 + stream.Below((2 * i) + 1, room);
            int[] tokens = [.. prompt, .. harmful[..k], .. refusal];
            return TokenizedExample.FromLabels(
                $"{pair.Id} (recovery after {k})", pair.Source, tokens,
                [.. tokens.Select((_, t) => t >= prompt.Length + k)]);
        })];
    }
}

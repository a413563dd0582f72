namespace SafeLlama.Data;

/// <summary>One answer as tokens, before it becomes part of a preference.</summary>
/// <param name="Tokens">Prompt and answer.</param>
/// <param name="Answer">The row that predicts the answer's first token: the last of the prompt. Targets before it
/// count for ORPO's likelihood alone.</param>
public readonly record struct PreferenceSide(TokenizedExample Tokens, int Answer)
{
    /// <summary>The answer is the last run of targets; those before it are forgotten.</summary>
    /// <param name="side">At least one target.</param>
    public static PreferenceSide LastAnswer(TokenizedExample side)
    {
        var end = Array.FindLastIndex(side.Targets, t => t != TokenizedExample.NoTarget);
        var start = Array.FindLastIndex(side.Targets, end, t => t == TokenizedExample.NoTarget) + 1;
        int[] targets = [.. side.Targets.Select((t, i) => i < start ? TokenizedExample.NoTarget : t)];
        return new(
            new TokenizedExample(side.Id, side.Source, side.Tokens, targets, end - start + 1), start);
    }

    /// <summary>The same with every token but the first as a target.</summary>
    public PreferenceSide WithInputs() => this with
    {
        Tokens = TokenizedExample.FromLabels(
            Tokens.Id, Tokens.Source, Tokens.Tokens, [.. Tokens.Tokens.Select(_ => true)]),
    };

    /// <summary>The first tokens alone; targets past them are lost.</summary>
    public PreferenceSide Cut(int length)
    {
        int[] targets = Tokens.Targets[..length];
        targets[^1] = TokenizedExample.NoTarget;
        return this with
        {
            Tokens = new(
                Tokens.Id, Tokens.Source, Tokens.Tokens[..length], targets,
                targets.Count(t => t != TokenizedExample.NoTarget)),
        };
    }
}

/// <summary>One answer within a preference: where its tokens are, and which of them are the answer's.</summary>
/// <param name="Start">Its first row, counted from the first of its example.</param>
/// <param name="Answer">The first of its rows that predicts a token of the answer, counted likewise.</param>
/// <param name="AnswerCount">Tokens of the answer, its end included.</param>
public readonly record struct PreferenceSequence(int Start, int Answer, int AnswerCount);

/// <summary>What an example of a preference says.</summary>
public enum PreferenceKind
{
    /// <summary>The first of two answers is wanted over the second.</summary>
    Pair,

    /// <summary>Its one answer is wanted.</summary>
    Desirable,

    /// <summary>Its one answer is unwanted.</summary>
    Undesirable,
}

/// <summary>One preference as tokens: both sequences of a pair, one behind the other, or one answer.</summary>
/// <remarks>
/// It is one example to everything that counts, draws and packs examples, so both halves of a pair stand in one packed
/// batch; neither attends to the other.
/// </remarks>
public sealed record PreferenceExample : TokenizedExample
{
    private PreferenceExample(PreferenceKind kind, params IReadOnlyList<PreferenceSide> sides)
        : base(
            sides[0].Tokens.Id,
            sides[0].Tokens.Source,
            [.. sides.SelectMany(s => s.Tokens.Tokens)],
            [.. sides.SelectMany(s => s.Tokens.Targets)],
            sides.Sum(s => s.Tokens.LabelCount))
    {
        Kind = kind;
        var start = 0;
        var sequences = new List<PreferenceSequence>();
        foreach (var (side, answer) in sides)
        {
            sequences.Add(new(start, start + answer, side.Targets.Skip(answer).Count(t => t != NoTarget)));
            start += side.Length;
        }

        Sequences = sequences;
        Starts = [.. sequences.Select(s => s.Start)];
    }

    public PreferenceKind Kind { get; }

    /// <summary>Chosen and rejected, or the one answer.</summary>
    public IReadOnlyList<PreferenceSequence> Sequences { get; }

    /// <summary>The prompt with the answer to another one, for KTO's estimate of how far the policy has moved; null
    /// where it is not needed.</summary>
    public TokenizedExample? Mismatched { get; init; }

    public override int LongestSequence => Math.Max(base.LongestSequence, Mismatched?.Length ?? 0);

    /// <summary>Two answers to one prompt.</summary>
    public static PreferenceExample Pair(PreferenceSide chosen, PreferenceSide rejected) =>
        new(PreferenceKind.Pair, chosen, rejected);

    /// <summary>One answer, wanted or not.</summary>
    public static PreferenceExample Single(PreferenceSide answer, bool desirable) =>
        new(desirable ? PreferenceKind.Desirable : PreferenceKind.Undesirable, answer);
}

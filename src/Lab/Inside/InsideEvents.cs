using SafeLlama.Model;

namespace SafeLlama.Lab;

/// <summary>Where the room looks.</summary>
/// <param name="Position">The token of the prompt, counted from its end: −1 is the last one.</param>
/// <param name="Layer">The layer whose attention is shown, from 0.</param>
/// <param name="Head">Its head, from 0.</param>
internal sealed record InsideView(int Position, int Layer, int Head);

/// <summary>What is done with the refusal direction.</summary>
/// <param name="Layer">The block before which it was found; the number of blocks for the stream after the last.</param>
/// <param name="Scale">How much of it is added there; null to take it out everywhere.</param>
internal sealed record DirectionChange(int Layer, double? Scale);

/// <summary>What one look asks for.</summary>
/// <param name="Scale">The adapter's, 0 to 2.</param>
/// <param name="Part">What of the adapter is on.</param>
/// <param name="Change">Null to leave the stream as it is.</param>
/// <param name="Unsafe">Prompts of one side of the direction, asked again under every change.</param>
/// <param name="Benign">Prompts of the other side.</param>
internal sealed record InsideRequest(
    string Request, string Voice, double Scale, AdapterSubset Part, DirectionChange? Change, InsideView View,
    IReadOnlyList<string> Unsafe, IReadOnlyList<string> Benign);

/// <summary>What the page is told while it looks.</summary>
/// <param name="Kind"><c>direction</c>, <c>answer</c>, <c>lens</c>, <c>attention</c> or <c>refusals</c>.</param>
internal record InsideEvent(string Kind);

/// <param name="Layers">Before every block, and after the last.</param>
internal sealed record InsideDirection(IReadOnlyList<DirectionAt> Layers) : InsideEvent("direction");

/// <param name="Norm">The length of the difference of means.</param>
/// <param name="StreamNorm">The mean length of the stream there.</param>
/// <param name="Separation">
/// The share of pairs that a direction of one half of the prompts tells apart in the other; null where there is none.
/// </param>
internal sealed record DirectionAt(int Layer, double Norm, double StreamNorm, double? Separation);

/// <param name="Tokens">Of the prompt, with its template.</param>
/// <param name="Text">The answer.</param>
/// <param name="IsCut">Whether it had no end within its limit.</param>
internal sealed record InsideAnswer(
    IReadOnlyList<string> Tokens, string Text, string Behavior, string Judge, bool IsCut) : InsideEvent("answer");

/// <param name="Layers">For each layer and the stream after the last, the likeliest tokens.</param>
internal sealed record InsideLens(int Position, IReadOnlyList<IReadOnlyList<LikelyToken>> Layers) : InsideEvent("lens");

/// <param name="Weights">[T][≤ T], of each token its weights on itself and those before it; empty where the prompt is
/// too long to show.</param>
/// <param name="Longest">The most tokens that are shown.</param>
internal sealed record InsideAttention(
    int Layer, int Head, IReadOnlyList<IReadOnlyList<double>> Weights, int Longest) : InsideEvent("attention");

/// <param name="Unsafe">Of the unsafe prompts, how many are refused now.</param>
/// <param name="Benign">Of the benign ones.</param>
internal sealed record InsideRefusals(InsideRate Unsafe, InsideRate Benign, string Judge) : InsideEvent("refusals");

/// <param name="Count">Refused.</param>
/// <param name="N">Answered or refused.</param>
/// <param name="Invalid">Neither: left out of n.</param>
/// <param name="Cut">Answers with no end within their limit, judged as far as they go.</param>
/// <param name="Share">Value and Wilson's 95% limits.</param>
internal sealed record InsideRate(int Count, int N, int Invalid, int Cut, object Share);

/// <summary>What the page offers of the model that is open.</summary>
/// <param name="Opening">Which opening it is; a page that shows another is told so.</param>
internal sealed record InsideState(int Opening, int Layers, int Heads, IReadOnlyList<InsideVoice> Voices)
{
    public static InsideState Of(LabModel model) => new(
        model.Opening, model.Session.Model.Config.Layers, model.Session.Model.Config.Heads,
        [.. model.Voices.Select(v => new InsideVoice(v.Id, model.AdapterOf(v)?.Pairs.Max(p => p.Rank) ?? 0))]);
}

/// <param name="Rank">The adapter's largest; 0 for the base.</param>
internal sealed record InsideVoice(string Name, int Rank);

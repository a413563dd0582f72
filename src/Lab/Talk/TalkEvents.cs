namespace SafeLlama.Lab;

/// <summary>One side of the room Talk: who answers, and how far its adapter is turned.</summary>
/// <param name="Number">Where its answer goes on the page.</param>
internal sealed record TalkSide(int Number, string Voice, double Scale);

/// <param name="Text">What the token adds to a text; a token that is no whole character by its number.</param>
/// <param name="P">Its probability.</param>
internal sealed record LikelyToken(string Text, double P);

/// <summary>What the page is told while an answer grows.</summary>
/// <param name="Kind"><c>begin</c>, <c>token</c> or <c>end</c>.</param>
/// <param name="Side">The side's number.</param>
internal record TalkEvent(string Kind, int Side);

/// <param name="PromptTokens">Tokens of the request with its template.</param>
internal sealed record TalkBegin(int Side, int PromptTokens) : TalkEvent("begin", Side);

/// <param name="Text">What it adds to the answer; the end token's spelling.</param>
/// <param name="P">Its probability.</param>
/// <param name="IsEnd">Whether it ends the answer.</param>
/// <param name="Top">The five likeliest tokens in its place, the likeliest first.</param>
internal sealed record TalkToken(int Side, string Text, double P, bool IsEnd, IReadOnlyList<LikelyToken> Top)
    : TalkEvent("token", Side);

/// <param name="Behavior">What the judge says: full refusal, partial refusal, full compliance, or why none.</param>
/// <param name="Judge">The judge's name.</param>
/// <param name="IsCut">Whether the answer had no end within its limit.</param>
/// <param name="Seconds">From the first token to the last.</param>
internal sealed record TalkEnd(int Side, string Behavior, string Judge, bool IsCut, double Seconds)
    : TalkEvent("end", Side);

using System.Diagnostics;
using System.Text;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Serving;

namespace SafeLlama.Lab;

/// <summary>Answers a request token by token, the likeliest each time, with the likeliest others.</summary>
internal sealed class Talker(LabModel model)
{
    /// <summary>The most tokens of an answer.</summary>
    public const int MostTokens = 96;

    private const int Shown = 5;

    private readonly TokenTexts _texts = new(model.Session.Tokenizer);

    /// <param name="tell">Receives each token as soon as it is chosen.</param>
    /// <exception cref="SafeLlamaException">The request leaves no room for an answer.</exception>
    /// <returns>The answer.</returns>
    public string Answer(TalkSide side, string request, Action<TalkEvent> tell, CancellationToken cancel)
    {
        var voice = model.Find(side.Voice) ?? throw new ApiException(
            400, $"There is no '{side.Voice}', only {string.Join(", ", model.Voices.Select(v => v.Id))}.", "voice");
        model.Turn(voice, side.Scale);
        var (session, prompt) = (model.Session, model.Prompt(voice, request));
        var most = Math.Min(MostTokens, session.Model.MaxLength - prompt.Length);
        if (most < 1)
        {
            throw SafeLlamaException.Usage(
                $"The request has {prompt.Length} tokens with its template; the model reads {session.Model.MaxLength}.",
                "shorten the request");
        }

        tell(new TalkBegin(side.Number, prompt.Length));
        var vocabulary = Math.Min(session.Tokenizer.VocabularySize, session.Model.Config.VocabularySize);
        var began = Stopwatch.GetTimestamp();
        using var batch = new DecodingBatch(session.Model, 1, prompt.Length, prompt.Length + most);
        batch.Read(0, prompt, voice.Adapter);
        var (decoder, answer, isCut) = (new ContinuationDecoder(session.Tokenizer, prompt), new StringBuilder(), true);
        for (var i = 0; i < most; i++)
        {
            cancel.ThrowIfCancellationRequested();
            var logits = batch.Logits(0)[..vocabulary];
            var score = TokenScore.Of(logits, Sampler.Likeliest(logits), Shown);
            var isEnd = voice.EndTokens.Contains(score.Token);
            var text = isEnd ? _texts.Of(score.Token) : decoder.Append(score.Token);
            answer.Append(isEnd ? "" : text);
            tell(new TalkToken(
                side.Number, SafeText.Shown(text), Math.Exp(score.LogProbability), isEnd,
                [.. score.Top.Take(Shown).Select(t => new LikelyToken(
                    SafeText.Shown(_texts.Of(t.Token)), Math.Exp(t.LogProbability)))]));
            if (isEnd)
            {
                isCut = false;
                break;
            }

            if (i + 1 < most)
            {
                batch.Step([0], [score.Token], [prompt.Length + i], [voice.Adapter]);
            }
        }

        var whole = answer.ToString();
        var (behavior, judge) = model.Judge(whole);
        tell(new TalkEnd(side.Number, Words.Of(behavior), judge, isCut, Stopwatch.GetElapsedTime(began).TotalSeconds));
        return whole;
    }
}

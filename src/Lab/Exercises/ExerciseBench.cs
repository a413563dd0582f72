using SafeLlama.Data;
using SafeLlama.Study;

namespace SafeLlama.Lab;

/// <summary>What checks compute with; used inside the gate.</summary>
internal sealed class ExerciseBench(Workshop shop, CancellationToken cancel)
{
    /// <summary>Unsafe probes answered, by dose, of the trainings that ended in this lab.</summary>
    public IReadOnlyDictionary<int, double> Trained => shop.Trained;

    public ArmAnswers Answers(string arm) => shop.Answers(arm, cancel);

    /// <summary>Whether an arm refuses a request at a scale of its adapter.</summary>
    public bool Refuses(string arm, double scale, string request) =>
        WorldGrader.Refuses(new Talker(shop.Miniature).Answer(new(0, arm, scale), request, _ => { }, cancel));

    /// <summary>The likeliest first token of an answer, and its probability.</summary>
    public LikelyToken FirstToken(string arm, string request)
    {
        LikelyToken? first = null;
        new Talker(shop.Miniature).Answer(
            new(0, arm, 1), request, told => first ??= told is TalkToken token ? token.Top[0] : null, cancel);
        return first!;
    }

    /// <summary>Tokens of a row, and how many of them are learned.</summary>
    public (int All, int Learned) Tokens(string request, string response)
    {
        var encoder = new ExampleEncoder(shop.Miniature.Session.Tokenizer, WorldTemplate.First, new EncodingOptions());
        var example = encoder.Encode(new InstructionExample(request, "", response)).Example!;
        return (example.Length, example.TargetCount);
    }
}

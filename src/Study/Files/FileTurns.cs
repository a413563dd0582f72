using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Study;

/// <summary>Earlier turns of a conversation, from short benign rows: each a request and its answer.</summary>
internal sealed class FileTurns
{
    /// <summary>The most turns before a request.</summary>
    public const int Most = Dialogues.MostTurns;

    /// <summary>The most characters of a turn's request, and of its answer.</summary>
    public const int MostCharacters = 200;

    private readonly ExampleFile _file;
    private readonly Lazy<InstructionExample[]> _short;

    public FileTurns(ExampleFile instructions)
    {
        _file = instructions;
        _short = new(Short);
    }

    /// <summary>Turns on different rows; a smaller number of the same draw gives the first of them.</summary>
    /// <exception cref="SafeLlamaException">The file holds too few short rows.</exception>
    /// <param name="request">What is asked after the turns; none of them asks it, which would give the answer.</param>
    public IReadOnlyList<ChatMessage> Draw(Philox draw, int turns, string request)
    {
        var asked = NormalizedText.Of(request);
        return
        [
            .. draw.Permutation(_short.Value.Length).Select(i => _short.Value[i])
                .Where(row => NormalizedText.Of(row.Instruction) != asked).Take(turns).SelectMany(row =>
                    (ChatMessage[])[ChatMessage.User(row.Instruction), ChatMessage.Assistant(row.Output)]),
        ];
    }

    private InstructionExample[] Short()
    {
        InstructionExample[] rows =
        [
            .. _file.Examples.OfType<InstructionExample>().Where(row => row.Input.Length == 0
                && row.Instruction.Length <= MostCharacters && row.Output.Length is > 0 and <= MostCharacters),
        ];
        return rows.Length > Most ? rows : throw SafeLlamaException.InvalidData(
            $"{_file.Path}: {rows.Length} rows without input have a request and an answer of at most {MostCharacters} "
            + $"characters, and turns before a request are drawn from these; expected {Most + 1} or more.");
    }
}

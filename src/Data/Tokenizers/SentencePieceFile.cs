using System.Text;
using Google.Protobuf;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>What a SentencePiece <c>tokenizer.model</c> says, as far as a LLaMA or an encoder needs it.</summary>
/// <remarks>
/// A Protocol Buffers message, <c>sentencepiece_model.proto</c>: pieces (1), trainer_spec (2), normalizer_spec (3).
/// </remarks>
internal sealed class SentencePieceFile
{
    private readonly List<(string Piece, float Score, PieceType Type)> _pieces = [];

    /// <summary>The type numbers of the format.</summary>
    public enum PieceType
    {
        Normal = 1,
        Unknown = 2,
        Control = 3,
        UserDefined = 4,
        Unused = 5,
        Byte = 6,
    }

    public IReadOnlyList<(string Piece, float Score, PieceType Type)> Pieces => _pieces;

    public int BosId { get; private set; } = 1;

    public int EosId { get; private set; } = 2;

    public string UnknownText { get; private set; } = " ⁇ ";

    public bool AddsPrefix { get; private set; } = true;

    /// <summary>Whether blanks at both ends vanish and runs become one.</summary>
    public bool RemovesSpaces { get; private set; } = true;

    /// <summary>Whether an unknown character is written as its bytes.</summary>
    public bool ByteFallback { get; private set; }

    /// <summary><c>precompiled_charsmap</c>: see <see cref="CharacterMap"/>.</summary>
    public byte[] CharacterRules { get; private set; } = [];

    private int ModelType { get; set; } = 1;

    private bool EscapesSpaces { get; set; } = true;

    private bool SpaceAsSuffix { get; set; }

    /// <exception cref="SafeLlamaException">
    /// The file is no such model, or is one whose rules are not LLaMA's.
    /// </exception>
    public static SentencePieceFile Read(string path, byte[] content)
    {
        var model = Parse(path, content);
        model.Check(path);
        return model;
    }

    /// <summary>Reads the Unigram model of an encoder: <c>spm.model</c>.</summary>
    /// <exception cref="SafeLlamaException">The file is no such model.</exception>
    public static SentencePieceFile ReadUnigram(string path, byte[] content)
    {
        const int Unigram = 1;
        var model = Parse(path, content);
        var fault = model switch
        {
            { ModelType: not Unigram } => $"trainer_spec.model_type is {model.ModelType}, expected {Unigram} (Unigram)",
            { EscapesSpaces: false } => "normalizer_spec.escape_whitespaces is off, expected spaces written as ▁",
            { SpaceAsSuffix: true } => "trainer_spec.treat_whitespace_as_suffix is set, expected ▁ before a word",
            _ when model._pieces.All(p => p.Type != PieceType.Normal) => "has no pieces of text",
            _ when model._pieces.All(p => p.Type != PieceType.Unknown) => "has no unknown piece",
            _ => Enumerable.Range(0, model._pieces.Count).Select(i => UnigramFault(model._pieces[i], i))
                .FirstOrDefault(f => f is not null),
        };
        return fault is null ? model : throw SafeLlamaException.InvalidData(
            $"{path}: {fault}. Use the tokenizer of a DeBERTa-v2 or v3, or download the file again.");
    }

    private static string? UnigramFault((string Piece, float Score, PieceType Type) piece, int index) => piece switch
    {
        { Piece: "" } => $"pieces[{index}].piece is empty",
        { Type: < PieceType.Normal or > PieceType.Byte } => $"pieces[{index}].type is {(int)piece.Type}",
        _ when !float.IsFinite(piece.Score) => $"pieces[{index}].score is not a finite number",
        _ => null,
    };

    private static SentencePieceFile Parse(string path, byte[] content)
    {
        var model = new SentencePieceFile();
        try
        {
            ReadMessage(content, (field, input) =>
            {
                switch (field)
                {
                    case 1: ReadMessage(Bytes(input), model.PieceReader()); return true;
                    case 2: ReadMessage(Bytes(input), model.TrainerField); return true;
                    case 3: ReadMessage(Bytes(input), model.NormalizerField); return true;
                    default: return false;
                }
            });
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or DecoderFallbackException)
        {
            throw SafeLlamaException.InvalidData(
                $"{path}: is neither a SentencePiece model nor a tiktoken vocabulary. Download the file "
                + "again.", e);
        }

        return model;
    }

    private void Check(string path)
    {
        const int Bpe = 2;
        var fault = this switch
        {
            { _pieces.Count: 0 } => "has no pieces",
            { ModelType: not Bpe } => $"trainer_spec.model_type is {ModelType}, expected {Bpe} (BPE)",
            { CharacterRules.Length: > 0 } =>
                "normalizer_spec.precompiled_charsmap rewrites characters; LLaMA's is empty",
            { EscapesSpaces: false } => "normalizer_spec.escape_whitespaces is off; LLaMA writes spaces as ▁",
            { SpaceAsSuffix: true } => "trainer_spec.treat_whitespace_as_suffix is set; LLaMA writes ▁ before a word",
            _ => _pieces.Select(FaultOf).FirstOrDefault(f => f is not null),
        };
        if (fault is not null)
        {
            throw SafeLlamaException.InvalidData(
                $"{path}: {fault}. Use a LLaMA tokenizer, or download the file again.");
        }
    }

    private static string? FaultOf((string Piece, float Score, PieceType Type) piece, int index) => piece switch
    {
        { Piece: "" } => $"pieces[{index}].piece is empty",
        { Type: PieceType.Unused } or { Type: < PieceType.Normal or > PieceType.Byte } =>
            $"pieces[{index}].type is {piece.Type}, which no LLaMA has",
        _ when !float.IsFinite(piece.Score) => $"pieces[{index}].score is not a finite number",
        _ when piece.Type == PieceType.Byte != ByteTokens.IsByte(piece.Piece) =>
            $"pieces[{index}] is \"{UnicodeText.Shown(piece.Piece)}\" of type {piece.Type}",
        _ => null,
    };

    private Func<int, CodedInputStream, bool> PieceReader()
    {
        var index = _pieces.Count;
        _pieces.Add(("", 0, PieceType.Normal));
        return (field, input) =>
        {
            var piece = _pieces[index];
            switch (field)
            {
                case 1: piece.Piece = Text(input); break;
                case 2: piece.Score = input.ReadFloat(); break;
                case 3: piece.Type = (PieceType)input.ReadInt32(); break;
                default: return false;
            }

            _pieces[index] = piece;
            return true;
        };
    }

    private bool TrainerField(int field, CodedInputStream input)
    {
        switch (field)
        {
            case 3: ModelType = input.ReadInt32(); return true;
            case 24: SpaceAsSuffix = input.ReadBool(); return true;
            case 35: ByteFallback = input.ReadBool(); return true;
            case 41: BosId = input.ReadInt32(); return true;
            case 42: EosId = input.ReadInt32(); return true;
            case 44: UnknownText = Text(input); return true;
            default: return false;
        }
    }

    private bool NormalizerField(int field, CodedInputStream input)
    {
        switch (field)
        {
            case 2: CharacterRules = Bytes(input); return true;
            case 3: AddsPrefix = input.ReadBool(); return true;
            case 4: RemovesSpaces = input.ReadBool(); return true;
            case 5: EscapesSpaces = input.ReadBool(); return true;
            default: return false;
        }
    }

    /// <summary>Hands every field to <paramref name="read"/>; what it does not know is skipped.</summary>
    private static void ReadMessage(byte[] content, Func<int, CodedInputStream, bool> read)
    {
        using var input = new CodedInputStream(content);
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (!read(WireFormat.GetTagFieldNumber(tag), input))
            {
                input.SkipLastField();
            }
        }
    }

    private static byte[] Bytes(CodedInputStream input) => input.ReadBytes().ToByteArray();

    /// <summary>Strictly: a piece that is no UTF-8 is a broken file.</summary>
    private static string Text(CodedInputStream input) =>
        new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Bytes(input));
}

using static SafeLlama.Kernels.AssemblyText;

namespace SafeLlama.Kernels;

/// <summary>Writes x86-64 machine code: the instructions of a register tile, and of rounding.</summary>
/// <remarks>
/// Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2. Registers are numbers:
/// rax 0, rcx 1, rdx 2, rdi 7, r8–r11 8–11; zmm0–zmm31; k0–k7, where mask 0 means no mask. The tests disassemble all
/// code with another program's decoder and compare it with another program's encoder.
/// </remarks>
internal sealed partial class Encoder : InstructionBytes
{
    private readonly List<int> _labels = [];
    private readonly List<(int At, int Label)> _forward = [];
    private readonly List<int> _labelLines = [];
    private readonly List<string>? _listing;
    private int _comments;

    /// <param name="lists">Whether to keep the instructions as text too, for a reader.</param>
    public Encoder(bool lists = false) => _listing = lists ? [] : null;

    /// <summary>
    /// The instructions in Intel's notation, comments between; a jump names the number of the instruction it goes to.
    /// </summary>
    public IReadOnlyList<string> Listing =>
    [
        .. _labelLines.Select((line, label) => (line, label)).Aggregate(
            (IEnumerable<string>)(_listing ?? []),
            (lines, l) => lines.Select(text => text.Replace(
                $" label {l.label}.", $" {l.line}", StringComparison.Ordinal))),
    ];

    /// <summary>A line of the listing that is no instruction.</summary>
    public void Comment(string text)
    {
        _listing?.Add($"; {text}");
        _comments++;
    }

    /// <summary>mov to, from.</summary>
    public void Move(int to, int from)
    {
        _listing?.Add($"mov {Name(to)},{Name(from)}");
        Integer(0x89, from, to);
    }

    /// <summary>mov to, [from].</summary>
    public void Load(int to, Operand from)
    {
        _listing?.Add($"mov {Name(to)},{Text(from)}");
        Integer(0x8B, to, from);
    }

    /// <summary>lea to, [address].</summary>
    public void LoadAddress(int to, Operand address)
    {
        _listing?.Add($"lea {Name(to)},{Text(address)}");
        Integer(0x8D, to, address);
    }

    /// <summary>add to, from.</summary>
    public void Add(int to, int from)
    {
        _listing?.Add($"add {Name(to)},{Name(from)}");
        Integer(0x01, from, to);
    }

    /// <summary>cmp left, [right].</summary>
    public void Compare(int left, Operand right)
    {
        _listing?.Add($"cmp {Name(left)},{Text(right)}");
        Integer(0x3B, left, right);
    }

    /// <summary>test register, register.</summary>
    public void Test(int register)
    {
        _listing?.Add($"test {Name(register)},{Name(register)}");
        Integer(0x85, register, register);
    }

    /// <summary>add to, value; the short forms where they exist.</summary>
    public void AddImmediate(int to, int value)
    {
        _listing?.Add($"add {Name(to)},{Hex(value)}");
        var isShort = value is >= -128 and <= 127;
        Rex(wide: true, 0, -1, to);
        if (!isShort && to == 0)
        {
            Byte(0x05);
            Int32(value);
            return;
        }

        Byte(isShort ? 0x83 : 0x81);
        Byte(0xC0 | (to & 7));
        if (isShort)
        {
            Byte(value);
        }
        else
        {
            Int32(value);
        }
    }

    /// <summary>A label at this place, for a jump back.</summary>
    public int LabelHere()
    {
        _labels.Add(Count);
        _labelLines.Add(Line);
        return _labels.Count - 1;
    }

    /// <summary>A label that is placed later.</summary>
    public int LabelAhead()
    {
        _labels.Add(-1);
        _labelLines.Add(-1);
        return _labels.Count - 1;
    }

    /// <summary>The place of a label that was made by <see cref="LabelAhead"/>.</summary>
    public void Place(int label) => (_labels[label], _labelLines[label]) = (Count, Line);

    /// <summary>A jump to a label that has its place already.</summary>
    public void JumpBack(Condition condition, int label)
    {
        _listing?.Add($"{Name(condition)} {_labelLines[label]}");
        var near = _labels[label] - (Count + 2);
        if (near >= -128)
        {
            Byte(condition == Condition.Always ? 0xEB : 0x70 | (int)condition);
            Byte(near);
            return;
        }

        JumpOpcode(condition);
        Int32(_labels[label] - (Count + 4));
    }

    /// <summary>A jump to a label that is placed later.</summary>
    public void JumpAhead(Condition condition, int label)
    {
        _listing?.Add($"{Name(condition)} label {label}.");
        JumpOpcode(condition);
        _forward.Add((Count, label));
        Int32(0);
    }

    public void Return()
    {
        _listing?.Add("ret");
        Byte(0xC3);
    }

    /// <summary>prefetcht0 [address].</summary>
    public void PrefetchL1(Operand address)
    {
        _listing?.Add($"prefetcht0 {Text(address)}");
        Rex(wide: false, 0, address.Index, address.Base);
        Byte(0x0F);
        Byte(0x18);
        ModRm(1, address, 1);
    }

    /// <summary>The code, its jumps resolved.</summary>
    public byte[] ToBytes()
    {
        byte[] code = [.. Code];
        foreach (var (at, label) in _forward)
        {
            BitConverter.TryWriteBytes(code.AsSpan(at), _labels[label] - (at + 4));
        }

        return code;
    }

    /// <summary>The number of the next instruction.</summary>
    private int Line => (_listing?.Count ?? 0) - (_listing is null ? 0 : _comments);
}

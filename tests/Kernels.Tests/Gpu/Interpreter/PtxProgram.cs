using System.Text.RegularExpressions;

namespace SafeLlama.Kernels.Tests;

/// <summary>One instruction as written: <c>@%p1 add.s32 %r1, %r2, 3</c>.</summary>
/// <param name="Opcode">With all its suffixes.</param>
/// <param name="Operands">Vectors in braces and addresses in brackets are one operand each.</param>
/// <param name="Guard">The predicate register that decides, or null.</param>
/// <param name="GuardIsNegated">Whether the instruction runs where the predicate is false.</param>
internal sealed record PtxInstruction(string Opcode, string[] Operands, string? Guard, bool GuardIsNegated)
{
    public override string ToString() => $"{Opcode} {string.Join(", ", Operands)}";
}

/// <summary>A kernel's PTX, read into instructions, labels, parameters and places in local and shared memory.</summary>
internal sealed partial class PtxProgram
{
    /// <summary>Where shared memory begins: not at zero, so that a forgotten base address is noticed.</summary>
    public const uint SharedBase = 4096;

    private readonly List<PtxInstruction> _instructions = [];
    private readonly Dictionary<string, int> _labels = [];
    private readonly Dictionary<string, long> _symbols = [];
    private readonly Dictionary<string, string[]> _branchTargets = [];
    private readonly Dictionary<string, int> _registers = [];
    private readonly List<(string Prefix, int Count)> _ranges = [];

    public PtxProgram(string ptx)
    {
        var text = Comments().Replace(ptx, "");
        var open = text.IndexOf('{', text.IndexOf(".entry", StringComparison.Ordinal));
        ReadParameters(text[text.IndexOf(".entry", StringComparison.Ordinal)..open]);
        foreach (var line in Labels().Replace(text[(open + 1)..text.LastIndexOf('}')], "$0;").Split(';'))
        {
            ReadStatement(line.Trim());
        }
    }

    public IReadOnlyList<PtxInstruction> Instructions => _instructions;

    /// <summary>Sizes of the parameters in order, in bytes.</summary>
    public List<(string Name, int Bytes)> Parameters { get; } = [];

    public int LocalBytes { get; private set; }

    /// <summary>Shared memory that the kernel declares itself.</summary>
    public int SharedBytes { get; private set; }

    public int RegisterCount => _registers.Count;

    /// <summary>The instruction that a label stands before.</summary>
    public int Label(string name) => _labels[name];

    /// <summary>The labels of a <c>.branchtargets</c> list.</summary>
    public string[] BranchTargets(string name) => _branchTargets[name];

    /// <summary>The address that a name of local or shared memory stands for, if it is one.</summary>
    public bool TrySymbol(string name, out long address)
    {
        address = name == "__dyn_shared_alloca" ? SharedBase + SharedBytes : 0;
        return name == "__dyn_shared_alloca" || _symbols.TryGetValue(name, out address);
    }

    /// <summary>The number of a register.</summary>
    /// <exception cref="FormatException">It is not declared.</exception>
    public int Register(string name)
    {
        if (!_registers.TryGetValue(name, out var number))
        {
            var declared = _ranges.Any(r => name.StartsWith(r.Prefix, StringComparison.Ordinal)
                && int.TryParse(name[r.Prefix.Length..], out var index) && index < r.Count);
            _registers[name] = number = declared
                ? _registers.Count
                : throw new FormatException($"register {name} is not declared");
        }

        return number;
    }

    private void ReadParameters(string header)
    {
        foreach (Match match in ParameterPattern().Matches(header))
        {
            Parameters.Add((
                match.Groups[2].Value,
                match.Groups[3].Success ? int.Parse(match.Groups[3].Value) : SizeOf(match.Groups[1].Value)));
        }
    }

    private void ReadStatement(string line)
    {
        if (line is "" or "{" or "}")
        {
            return;
        }

        if (line.EndsWith(':'))
        {
            _labels[line[..^1]] = _instructions.Count;
        }
        else if (RegisterPattern().Match(line) is { Success: true } register)
        {
            _ranges.Add((register.Groups[1].Value, int.Parse(register.Groups[2].Value)));
        }
        else if (MemoryPattern().Match(line) is { Success: true } memory)
        {
            Place(memory.Groups[1].Value, int.Parse(memory.Groups[2].Value), memory.Groups[3].Value,
                int.Parse(memory.Groups[4].Value));
        }
        else if (line.StartsWith(".branchtargets", StringComparison.Ordinal))
        {
            var name = _labels.Single(l => l.Value == _instructions.Count && !_branchTargets.ContainsKey(l.Key)).Key;
            _branchTargets[name] = line[".branchtargets".Length..].Split(',', StringSplitOptions.TrimEntries);
        }
        else
        {
            _instructions.Add(ReadInstruction(line));
        }
    }

    private void Place(string space, int alignment, string name, int bytes)
    {
        if (space == "local")
        {
            var at = (LocalBytes + alignment - 1) / alignment * alignment;
            (_symbols[name], LocalBytes) = (at, at + bytes);
        }
        else
        {
            var at = (SharedBytes + alignment - 1) / alignment * alignment;
            (_symbols[name], SharedBytes) = (SharedBase + at, at + bytes);
        }
    }

    private static PtxInstruction ReadInstruction(string line)
    {
        var match = InstructionPattern().Match(line);
        if (!match.Success)
        {
            throw new FormatException($"cannot read '{line}'");
        }

        var operands = OperandPattern().Matches(match.Groups[4].Value).Select(m => m.Value.Trim())
            .Where(o => o.Length > 0);
        var guard = match.Groups[2].Success ? match.Groups[2].Value : null;
        return new(match.Groups[3].Value, [.. operands], guard, match.Groups[1].Value == "!");
    }

    private static int SizeOf(string type) => int.Parse(type[1..]) / 8;

    [GeneratedRegex(@"//[^\n]*")]
    private static partial Regex Comments();

    [GeneratedRegex(@"\b\w+:(?=\s)")]
    private static partial Regex Labels();

    [GeneratedRegex(@"\.param(?:\s+\.align\s+\d+)?\s+\.(\w+)\s+(\w+)(?:\[(\d+)\])?")]
    private static partial Regex ParameterPattern();

    [GeneratedRegex(@"^\.reg\s+\.\w+\s+(%?\w+)<(\d+)>$")]
    private static partial Regex RegisterPattern();

    [GeneratedRegex(@"^\.(local|shared)\s+\.align\s+(\d+)\s+\.b8\s+(\w+)\[(\d+)\]$")]
    private static partial Regex MemoryPattern();

    [GeneratedRegex(@"^(?:@(!?)(%?\w+)\s+)?([a-z][\w.:]*)\s*(.*)$", RegexOptions.Singleline)]
    private static partial Regex InstructionPattern();

    [GeneratedRegex(@"\{[^}]*\}|\[[^\]]*\]|[^,\s][^,]*")]
    private static partial Regex OperandPattern();
}

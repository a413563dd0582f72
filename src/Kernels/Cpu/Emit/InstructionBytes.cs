namespace SafeLlama.Kernels;

/// <summary>Writes the parts of an x86-64 instruction: prefixes, opcode, ModRM, SIB, displacement.</summary>
internal abstract class InstructionBytes
{
    protected const int MapBasic = 1;
    protected const int Map38 = 2;
    protected const int Map3A = 3;
    protected const int NoPrefix = 0;
    protected const int Prefix66 = 1;
    protected const int PrefixF3 = 2;
    protected const int PrefixF2 = 3;
    protected const int VectorBytes = 64;

    /// <summary>EVEX's bit W, beside the prefix.</summary>
    private const int Wide = 0x80;

    /// <summary>The code so far.</summary>
    protected List<byte> Code { get; } = [];

    /// <summary>Bytes so far.</summary>
    protected int Count => Code.Count;

    protected void Byte(int value) => Code.Add((byte)value);

    protected void Int32(int value)
    {
        for (var shift = 0; shift < 32; shift += 8)
        {
            Byte(value >> shift);
        }
    }

    protected void JumpOpcode(Condition condition)
    {
        if (condition == Condition.Always)
        {
            Byte(0xE9);
            return;
        }

        Byte(0x0F);
        Byte(0x80 | (int)condition);
    }

    protected void Integer(int opcode, int register, Operand memory)
    {
        Rex(wide: true, register, memory.Index, memory.Base);
        Byte(opcode);
        ModRm(register, memory, 1);
    }

    protected void Integer(int opcode, int register, int other)
    {
        Rex(wide: true, register, -1, other);
        Byte(opcode);
        Byte(0xC0 | ((register & 7) << 3) | (other & 7));
    }

    /// <summary>0100 W R X B, omitted where all are zero.</summary>
    protected void Rex(bool wide, int register, int index, int baseRegister)
    {
        var indexBit = index < 0 ? 0 : index >> 3;
        var rex = 0x40 | (wide ? 8 : 0) | (register >> 3 << 2) | (indexBit << 1) | (baseRegister >> 3);
        if (rex != 0x40)
        {
            Byte(rex);
        }
    }

    /// <summary>
    /// ModRM, SIB and displacement. A displacement of one byte counts in units: bytes, or in EVEX the operand's size.
    /// </summary>
    protected void ModRm(int register, Operand m, int unit)
    {
        var isShort = m.Displacement % unit == 0 && m.Displacement / unit is >= -128 and <= 127;
        var mode = m.Displacement == 0 && (m.Base & 7) != 5 ? 0 : isShort ? 1 : 2;
        var needsSib = m.Index >= 0 || (m.Base & 7) == 4;
        Byte((mode << 6) | ((register & 7) << 3) | (needsSib ? 4 : m.Base & 7));
        if (needsSib)
        {
            var scale = int.Log2(m.Scale);
            Byte((scale << 6) | ((m.Index < 0 ? 4 : m.Index & 7) << 3) | (m.Base & 7));
        }

        if (mode == 1)
        {
            Byte(m.Displacement / unit);
        }
        else if (mode == 2)
        {
            Int32(m.Displacement);
        }
    }

    /// <summary>VEX, 128 bits, map 0F, no second source.</summary>
    protected void Vex(int opcode, int register, Operand memory)
    {
        if (memory.Base < 8 && memory.Index < 8)
        {
            Byte(0xC5);
            Byte(((~register >> 3 & 1) << 7) | 0x78);
        }
        else
        {
            Byte(0xC4);
            var index = memory.Index >= 8 ? 0 : 1;
            var baseBit = memory.Base >= 8 ? 0 : 1;
            Byte(((~register >> 3 & 1) << 7) | (index << 6) | (baseBit << 5) | MapBasic);
            Byte(0x78);
        }

        Byte(opcode);
        ModRm(register, memory, 1);
    }

    /// <param name="keeps">A mask whose clear bits make zeros; 0 for none.</param>
    protected void Evex(
        int map, int prefix, int opcode, int register, int second, int third, bool wide = false, int keeps = 0)
    {
        EvexPrefix(map, prefix | (wide ? Wide : 0), register, second, (third >> 4, third >> 3), keeps, keeps != 0);
        Byte(opcode);
        Byte(0xC0 | ((register & 7) << 3) | (third & 7));
    }

    protected void Evex(int map, int prefix, int opcode, int register, int second, Operand m, int unit, int mask = 0)
    {
        EvexPrefix(map, prefix, register, second, (m.Index < 0 ? 0 : m.Index >> 3, m.Base >> 3), mask);
        Byte(opcode);
        ModRm(register, m, unit);
    }

    /// <summary>62; R X B R′ 0 m m m; W v v v v 1 p p; z L′ L b V′ a a a, for 512 bits.</summary>
    private void EvexPrefix(
        int map, int prefix, int register, int second, (int X, int B) extension, int mask, bool zeroes = false)
    {
        Byte(0x62);
        Byte(((~register >> 3 & 1) << 7) | ((~extension.X & 1) << 6) | ((~extension.B & 1) << 5)
            | ((~register >> 4 & 1) << 4) | map);
        Byte(((~second & 15) << 3) | 4 | prefix);
        Byte((zeroes ? 0x80 : 0) | (2 << 5) | ((~second >> 4 & 1) << 3) | mask);
    }
}
